// The programs that lay notes into a sandbox and read them back there, as text for `node -e`. Used by notes.ts.
// What they print comes from a sandbox: nothing relies on it, the orchestrator checks it.

/** Arguments: the directory. On stdin: repositories, each with its name and files. */
export const GIVE = `
const fs = require('node:fs');
const path = require('node:path');
const [root] = process.argv.slice(1);
for (const { name, files } of JSON.parse(fs.readFileSync(0, 'utf8'))) {
  fs.mkdirSync(path.join(root, name), { recursive: true });
  for (const { path: file, text } of files) {
    const target = path.join(root, name, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
  }
}
`;

/** Arguments: the folder, the most files, the most bytes. Prints {files} or, where one of them cannot be kept, {refused}. */
export const READ = `
const fs = require('node:fs');
const path = require('node:path');
const [root, most, longest] = process.argv.slice(1);
const files = [];
let bytes = 0;

function refuse(why) {
  console.log(JSON.stringify({ refused: why }));
  process.exit();
}

function read(name) {
  const descriptor = fs.openSync(path.join(root, name), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  bytes += fs.fstatSync(descriptor).size;
  if (bytes > longest) refuse('They take more than ' + longest / 1024 + ' KiB.');
  if (files.length >= most) refuse('They are more than ' + most + ' files.');
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(fs.readFileSync(descriptor));
    if (text.includes('\\0')) refuse(name + ' is not text.');
    files.push({ path: name, text });
  } catch {
    refuse(name + ' is not text.');
  }
  fs.closeSync(descriptor);
}

function walk(folder) {
  for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) walk(name);
    else if (entry.isFile()) read(name);
    else refuse(name + ' is ' + (entry.isSymbolicLink() ? 'a link' : 'no file') + '.');
  }
}

const stat = fs.lstatSync(root, { throwIfNoEntry: false });
if (stat === undefined) refuse('Their folder is gone.');
if (!stat.isDirectory()) refuse('Their folder is none any more.');
walk('');
console.log(JSON.stringify({ files }));
`;
