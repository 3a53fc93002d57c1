// Entry of `./autocode`: parses the words, runs the verb, leaves by the one exit path.
// Ctrl-C ends it as the shell expects (130); verbs that have something to say then put up a handler of their own.
import { program } from './program.ts';

const words = process.argv.slice(2);

// A reader that has had enough (`autocode events | head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
}

try {
  await program(words).parseAsync();
} catch (error) {
  const { report } = await import('./exit.ts');
  process.exitCode = report(error, { json: words.includes('--json'), verbose: words.includes('--verbose') });
}
