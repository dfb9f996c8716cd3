// Has the files in ops/ judged by the programs that read them: the alerts and the scrape configuration by promtool, the unit by
// systemd, the manifests by Kubernetes' own schemas. The balancers' samples are run by `npm run chaos -- --on mariadb --only balancers`. Installs what is missing from Debian.
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import process from 'node:process';
import { parseAllDocuments } from 'yaml';

const folder = mkdtempSync(join(tmpdir(), 'order-hub-operations-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

function run(command, ...parameters) {
  execFileSync(command, parameters, { stdio: 'inherit', cwd: folder });
}

function isInstalled(program) {
  return (process.env.PATH ?? '').split(delimiter).some((path) => {
    try {
      accessSync(join(path, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A program of a package that is only unpacked: installing it would start a service. */
function programOf(debianPackage, program) {
  if (isInstalled(program)) return program;
  run('apt-get', '-qq', 'update');
  run('apt-get', '-qq', '-o', 'APT::Sandbox::User=root', 'download', debianPackage);
  run('sh', '-c', `dpkg-deb --extract ${debianPackage}_*.deb unpacked`);
  return join(folder, 'unpacked', 'usr', 'bin', program);
}

/** A copy of a file in which a path of the machine that it is for is replaced by one of this machine. */
function copy(path, from, to) {
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} does not name ${from}`);
  const target = join(folder, path.split('/').at(-1));
  writeFileSync(target, text.replace(from, to));
  return target;
}

const promtool = programOf('prometheus', 'promtool');
run(promtool, 'check', 'rules', resolve('ops/prometheus/alerts.yml'));
run(
  promtool,
  'check',
  'config',
  copy('ops/prometheus/prometheus.yml', '/etc/prometheus/alerts.yml', resolve('ops/prometheus/alerts.yml')),
);

if (!isInstalled('systemd-analyze')) run('apt-get', '-qq', '-y', '--no-install-recommends', 'install', 'systemd');
const unit = copy('ops/systemd/order-hub.service', '/usr/bin/node', process.execPath);
const { stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
// What it does not understand it only reports.
const complaints = stderr.split('\n').filter((line) => line.includes('order-hub.service'));
if (complaints.length > 0) throw new Error(complaints.join('\n'));

/** Where the package has a manifest's kind; each has the schema of Kubernetes' API. */
const kinds = {
  Deployment: 'apps/v1/Deployment',
  Service: 'v1/Service',
  Ingress: 'networking.k8s.io/v1/Ingress',
  PodDisruptionBudget: 'policy/v1/PodDisruptionBudget',
  HorizontalPodAutoscaler: 'autoscaling/v2/HorizontalPodAutoscaler',
};
for (const document of parseAllDocuments(readFileSync('ops/kubernetes/order-hub.yaml', 'utf8'))) {
  const manifest = document.toJS();
  const kind = await import(`kubernetes-models/${kinds[manifest.kind]}`);
  const model = new kind[manifest.kind](manifest);
  if (model.apiVersion !== manifest.apiVersion) throw new Error(`${manifest.kind} is not of ${manifest.apiVersion}`);
  model.validate();
  console.log(`${manifest.kind} ${manifest.metadata.name} is valid`);
}
