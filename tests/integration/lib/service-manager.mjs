// A service manager's end of NOTIFY_SOCKET (sd_notify(3)): collects what the program reports, a datagram each. Node has no
// Unix datagrams, so Python receives them.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { until } from './time.mjs';

const RECEIVER = `
import json, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1].replace("@", "\\0", 1) if sys.argv[1].startswith("@") else sys.argv[1])
print('"bound"', flush=True)
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
`;

export class ServiceManager {
  messages = [];

  // folder: where its socket is; without one the socket has an abstract name.
  static async start(t, folder) {
    const manager = new ServiceManager();
    manager.socket = folder ? join(folder, 'notify') : `@chorus-test-${randomUUID()}`;
    const child = spawn('python3', ['-c', RECEIVER, manager.socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more) => {
      const lines = (text + more).split('\n');
      text = lines.pop();
      manager.messages.push(...lines.map((line) => JSON.parse(line)));
    });
    await until(() => manager.messages.shift() === 'bound', 'the socket of the service manager');
    return manager;
  }

  get env() {
    return { NOTIFY_SOCKET: this.socket };
  }

  // How many messages have that line.
  count(line) {
    return this.messages.filter((message) => message.split('\n').some((one) => (line instanceof RegExp ? line.test(one) : one === line))).length;
  }

  receives(line, times = 1) {
    return until(() => this.count(line) >= times, () => `${line} among ${JSON.stringify(this.messages)}`);
  }
}
