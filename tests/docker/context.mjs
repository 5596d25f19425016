// What a Docker engine does with the Dockerfile's first stage, without an engine: the files that .dockerignore lets in, the
// COPY lines into a folder that stands for the container's root, and the RUN lines in it.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const top = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const SPECIAL = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };

// The patterns of a .dockerignore in order, as in https://docs.docker.com/build/concepts/context/#dockerignore-files.
export function patternsOf(text) {
  return text.split('\n').map((line) => line.trim()).filter((line) => line && !line.startsWith('#')).map((line) => {
    const path = line.replace(/^!/, '').trim().replace(/^\.?\/+/, '').replace(/\/+$/, '');
    const source = path.replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|\\]/g, (found) => SPECIAL[found] ?? `\\${found}`);
    return { keepsOut: !line.startsWith('!'), is: new RegExp(`^${source}$`) };
  });
}

// The last pattern that names the path, or a folder above it, decides.
export function isLetIn(patterns, path) {
  const parts = path.split('/');
  const named = parts.map((_, i) => parts.slice(0, i + 1).join('/'));
  return !patterns.filter(({ is }) => named.some((name) => is.test(name))).at(-1)?.keepsOut;
}

const SKIPPED = new Set(['.git', 'node_modules']); // large, and never part of a build

function copyContext(from, to, patterns) {
  const walk = (folder) => {
    for (const entry of readdirSync(join(from, folder), { withFileTypes: true })) {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) walk(path);
      } else if (isLetIn(patterns, path)) {
        mkdirSync(dirname(join(to, path)), { recursive: true });
        cpSync(join(from, path), join(to, path), { dereference: false });
      }
    }
  };
  walk('');
}

// [['FROM', 'debian…'], ['COPY', …]…] up to the second FROM.
export function firstStage(dockerfile) {
  const lines = dockerfile.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ').split('\n').filter((line) => line.trim());
  const stages = lines.flatMap((line, i) => (/^FROM\s/i.test(line) ? [i] : []));
  return lines.slice(stages[0], stages[1]).map((line) => /^\s*(\S+)\s+(.*?)\s*$/.exec(line).slice(1));
}

const isFolder = (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

// The contents of a folder are copied, as COPY does it.
function copy(context, workdir, args) {
  const sources = args.split(/\s+/);
  const target = sources.pop();
  const to = join(workdir, target);
  for (const source of sources) {
    const from = join(context, source);
    const into = !isFolder(from) && (target.endsWith('/') || isFolder(to)) ? join(to, basename(source)) : to;
    mkdirSync(dirname(into), { recursive: true });
    cpSync(from, into, { recursive: true });
  }
}

// Returns the folder that the stage's last WORKDIR stands for. Throws with the output of a command that fails.
export async function buildFirstStage(folder) {
  const context = join(folder, 'context');
  copyContext(top, context, patternsOf(readFileSync(join(top, '.dockerignore'), 'utf8')));
  let workdir = join(folder, 'root');
  const env = { ...process.env, ...compilerCache(folder) };
  for (const [instruction, args] of firstStage(readFileSync(join(top, 'Dockerfile'), 'utf8'))) {
    if (instruction === 'FROM') continue;
    else if (instruction === 'WORKDIR') mkdirSync((workdir = join(folder, 'root', args)), { recursive: true });
    else if (instruction === 'COPY') copy(context, workdir, args);
    else if (instruction === 'RUN') await run(args, workdir, env);
    else throw new Error(`tests/docker/context.mjs does not know ${instruction}`);
  }
  return workdir;
}

// With these, ccache (if installed) recognises a file in whatever folder it is, if the compiler has the name that a preset gives it.
function compilerCache(folder) {
  const found = process.env.PATH.split(':').some((path) => existsSync(join(path, 'ccache')));
  return found ? { CC: 'gcc', CMAKE_C_COMPILER_LAUNCHER: 'ccache', CCACHE_BASEDIR: folder, CCACHE_NOHASHDIR: '1' } : {};
}

async function run(command, cwd, env) {
  try {
    await promisify(execFile)('sh', ['-c', command], { cwd, env, maxBuffer: 1 << 26 });
  } catch (error) {
    throw new Error(`RUN ${command}: ${error.stdout}\n${error.stderr}`);
  }
}
