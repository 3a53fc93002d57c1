// The one format of bodies: JSON in UTF-8. What is not UTF-8 is refused rather than mended in silence.
import type { FastifyInstance } from 'fastify';
import { AutocodeError } from '../../protocol/errors.ts';

/** Replaces the parsers that Fastify comes with. */
export function parseJsonStrictly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string;
    try {
      text = utf8.decode(body);
    } catch (cause) {
      return done(
        new AutocodeError('ERR_BODY_NOT_JSON', 'The body is not UTF-8.', {
          remedy: 'Send one JSON document in UTF-8.',
          cause,
        }),
        undefined,
      );
    }
    void parse(request, text, done);
  });
}
