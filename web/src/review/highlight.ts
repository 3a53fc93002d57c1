// Colours of code, from Shiki's grammars; a language is loaded when a file of it is shown. Tokens become classes of the page's own
// colours: no style is written into markup, which the page's policy would refuse.
import {
  createCssVariablesTheme,
  createHighlighterCore,
  type HighlighterCore,
  type LanguageInput,
} from 'shiki/core';
import { createJavaScriptRegexEngine } from 'shiki/engine/javascript';

export interface Token {
  text: string;
  className: string;
}

/** More at once is left plain: it would hold the page up. */
const MOST_CHARACTERS = 60_000;

const LANGUAGES: Record<string, () => LanguageInput> = {
  'ts mts cts': () => import('shiki/langs/typescript.mjs'),
  tsx: () => import('shiki/langs/tsx.mjs'),
  'js mjs cjs': () => import('shiki/langs/javascript.mjs'),
  jsx: () => import('shiki/langs/jsx.mjs'),
  'json webmanifest': () => import('shiki/langs/json.mjs'),
  'yaml yml': () => import('shiki/langs/yaml.mjs'),
  toml: () => import('shiki/langs/toml.mjs'),
  'ini cfg conf service': () => import('shiki/langs/ini.mjs'),
  'py pyi': () => import('shiki/langs/python.mjs'),
  go: () => import('shiki/langs/go.mjs'),
  rs: () => import('shiki/langs/rust.mjs'),
  java: () => import('shiki/langs/java.mjs'),
  'kt kts': () => import('shiki/langs/kotlin.mjs'),
  'c h cpp cc cxx hpp hh': () => import('shiki/langs/c.mjs'),
  cs: () => import('shiki/langs/csharp.mjs'),
  'rb gemfile rakefile': () => import('shiki/langs/ruby.mjs'),
  php: () => import('shiki/langs/php.mjs'),
  swift: () => import('shiki/langs/swift.mjs'),
  lua: () => import('shiki/langs/lua.mjs'),
  'sh bash zsh': () => import('shiki/langs/shellscript.mjs'),
  sql: () => import('shiki/langs/sql.mjs'),
  'html htm': () => import('shiki/langs/html.mjs'),
  'xml svg': () => import('shiki/langs/xml.mjs'),
  css: () => import('shiki/langs/css.mjs'),
  scss: () => import('shiki/langs/scss.mjs'),
  'md markdown': () => import('shiki/langs/markdown.mjs'),
  'dockerfile containerfile': () => import('shiki/langs/docker.mjs'),
  'makefile mk': () => import('shiki/langs/make.mjs'),
  'tf hcl nomad': () => import('shiki/langs/hcl.mjs'),
  proto: () => import('shiki/langs/proto.mjs'),
};

const CLASSES: Record<string, string> = {
  keyword: 'text-review',
  string: 'text-good',
  'string-expression': 'text-good',
  comment: 'text-muted italic',
  function: 'text-info',
  constant: 'text-warn',
  link: 'text-accent',
};

let highlighter: Promise<HighlighterCore> | undefined;
const loaded = new Map<string, Promise<string>>();

/** Lines of code as tokens; undefined where the language is not known, or it is too much. */
export async function highlight(path: string, code: string): Promise<Token[][] | undefined> {
  const load = loaderOf(path);
  if (load === undefined || code.length > MOST_CHARACTERS) return undefined;
  highlighter ??= createHighlighterCore({
    themes: [createCssVariablesTheme({ name: 'page', variablePrefix: '--' })],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  const shiki = await highlighter;
  const [extensions, importing] = load;
  const known = loaded.get(extensions) ?? languageOf(shiki, importing);
  loaded.set(extensions, known);
  const lang = await known;
  const lines = shiki.codeToTokensBase(code, { lang, theme: 'page', tokenizeMaxLineLength: 2000 });
  return lines.map((tokens) =>
    tokens.map(({ content, color }) => ({ text: content, className: classOf(color) })),
  );
}

function loaderOf(path: string): [string, () => LanguageInput] | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const extension = name.slice(name.lastIndexOf('.') + 1);
  return Object.entries(LANGUAGES).find(([extensions]) => extensions.split(' ').includes(extension));
}

async function languageOf(shiki: HighlighterCore, importing: () => LanguageInput): Promise<string> {
  const before = new Set(shiki.getLoadedLanguages());
  const { default: grammars } = (await importing()) as unknown as { default: { name: string }[] };
  if (!before.has(grammars.at(-1)!.name)) await shiki.loadLanguage(grammars as never);
  return grammars.at(-1)!.name; // after those that it embeds
}

// As `var(--token-keyword)`.
function classOf(color: string | undefined): string {
  return CLASSES[/--token-([a-z-]+)/.exec(color ?? '')?.[1] ?? ''] ?? '';
}
