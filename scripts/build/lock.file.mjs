// Reads package-lock.json (version 3): which packages a set of dependencies needs, and whether they are installed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function readLock(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : { packages: {} };
}

/** The paths in the lock file of the named direct dependencies and of everything that they depend on. */
export function closure({ packages }, names) {
  const paths = new Set();
  const visit = (from, wanted) => {
    for (const name of wanted) {
      const path = resolve(packages, from, name);
      if (path === undefined || paths.has(path)) continue;
      paths.add(path);
      visit(path, dependenciesOf(packages[path]));
    }
  };
  visit('', names);
  return paths;
}

/** Whether npm has installed these paths at the versions of the lock file. Optional packages may be for another platform. */
export function isInstalled(lock, paths, nodeModules) {
  const installed = readLock(join(nodeModules, '.package-lock.json')).packages;
  return [...paths].every((path) => {
    const { version, integrity, optional } = lock.packages[path];
    const found = installed[path];
    return found ? found.version === version && found.integrity === integrity : optional === true;
  });
}

/** As Node resolves a package: in the node_modules of the importing package, then in those of each parent. */
function resolve(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const path = `${folder}${folder && '/'}node_modules/${name}`;
    if (path in packages) return path;
    if (folder === '') return undefined;
  }
}

function dependenciesOf({ dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta }) {
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta?.[name]?.optional);
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers];
}
