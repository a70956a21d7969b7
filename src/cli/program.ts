// The command line: every command with its options and examples. What a command does is loaded when it is called.
import { Command, CommanderError } from 'commander';
import { PROGRAM_VERSION } from '../base/version.ts';
import { demandDescriptors, isShortOfDescriptors, tooFew } from './descriptors.ts';
import { EXIT, Failure } from './exit.ts';
import type { ConfigOption } from './options.ts';
import { print, printError } from './output.ts';

const CONFIG = ['--config <file>', 'settings; default: meridian.yaml in this folder, where there is one'] as const;

/** Runs a command line (without `node` and the script) and returns the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const outcome = { code: EXIT.good as number };
  try {
    demandDescriptors();
    await program(outcome).parseAsync(args, { from: 'user' });
    return outcome.code;
  } catch (thrown) {
    const error = isShortOfDescriptors(thrown) ? tooFew(null) : thrown;
    if (error instanceof Failure) {
      printError(`meridian: ${error.message}\n`);
      return error.exitCode;
    }
    // Commander has written what it had to say: help and the version are good, all else is a wrong command line.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.good : EXIT.usage;
    printError(`meridian: ${(error as Error).stack ?? String(error)}\n`);
    return EXIT.server;
  }
}

/** The whole command line; a command sets `outcome.code` where it ends well with another code than 0. */
export function program(outcome: { code: number }): Command {
  const meridian = new Command('meridian')
    .description('An authoritative DNS server that answers each client with the nearest backend that is alive.')
    .version(PROGRAM_VERSION, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'print help for a command')
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: printError })
    .showHelpAfterError('("meridian --help" shows how)');
  const talks = (command: Command): Command =>
    command
      .option('--admin <url>', "the server's admin, such as http://127.0.0.1:8053; default: from the settings")
      .option('--token-file <file>', 'file with a token; default: what the local server left in its state folder')
      .option(...CONFIG);
  const add = (name: string, description: string, examples: string): Command =>
    meridian
      .command(name)
      .description(description)
      .exitOverride()
      .allowExcessArguments(false)
      .showHelpAfterError(`("meridian ${name.split(' ')[0]} --help" shows how)`)
      .addHelpText('after', `\nExamples:\n${examples.replace(/^/gm, '  ')}`);
  addServe(add, outcome);
  addCheck(add, outcome);
  addQuestions(add, talks);
  addForce(add, talks);
  addTokens(add);
  addGeoip(add, outcome);
  addCompletion(add, meridian);
  meridian.addHelpText('after', EXAMPLES);
  return meridian;
}

type Add = (name: string, description: string, examples: string) => Command;
type Talks = (command: Command) => Command;

const EXAMPLES = `
Examples:
  meridian serve --demo                        serve zones/ with backends of its own
  meridian check                               every mistake in settings, zones and overrides
  meridian explain net.cat A --client 81.2.69.160
  meridian status
  meridian drain net.cat/rio --for 2h --reason "new racks"

Exit codes: 0 good, 1 the input is wrong, 2 usage, 3 the server failed or can't be reached.`;

function addServe(add: Add, outcome: { code: number }): void {
  add(
    'serve',
    'serve the zones',
    'meridian serve --config /etc/meridian/meridian.yaml\nmeridian serve --demo\nmeridian serve --replace',
  )
    .option(...CONFIG)
    .option('--demo', 'start small backends for the example zone, and say what to try')
    .option('--strict', 'refuse to start when any file has errors')
    .option('--replace', 'take over from a server that runs on the same state folder, without losing a query')
    .option('--detach', 'go on in the background; end when it answers')
    .action(
      async (options: ConfigOption & Readonly<Record<'demo' | 'strict' | 'replace' | 'detach', true | undefined>>) => {
        if (options.detach) {
          const { detach } = await import('./detach.ts');
          outcome.code = await detach();
          return;
        }
        const { serve } = await import('./serve.ts');
        const { config, demo = false, strict = false, replace = false } = options;
        await serve({ config, demo, strict, replace });
      },
    );
}

function addCheck(add: Add, outcome: { code: number }): void {
  add(
    'check [path...]',
    'report every mistake in files or folders; default: the settings, their zones and overrides',
    'meridian check\nmeridian check zones/net.cat.yaml --json',
  )
    .option('--json', 'print a JSON array')
    .option(...CONFIG)
    .action(async (paths: string[], options: ConfigOption & { json?: true }) => {
      const { check } = await import('./check.ts');
      outcome.code = await check({ paths, config: options.config, json: options.json ?? false });
    });
}

function addQuestions(add: Add, talks: Talks): void {
  const examples = [
    'meridian explain net.cat A --client 81.2.69.160',
    'meridian explain net.cat --subnet 2001:db8::/48 --json',
    'meridian explain net.cat --resolver 9.9.9.9',
  ].join('\n');
  talks(add('explain <name> [type]', 'tell why a client gets the answer that it gets', examples))
    .option('--client <address>', 'ask with this address as the client subnet (/32 or /128)')
    .option('--subnet <network>', 'ask with this client subnet')
    .option('--resolver <address>', 'ask from this resolver; alone: without a client subnet')
    .option('--json', 'print JSON')
    .option('--offline', 'read the files instead of asking a server')
    .action(async (name: string, type: string | undefined, options) => {
      const { explain } = await import('./explain.ts');
      await explain({ ...options, name, type });
    });
  talks(add('coverage <name> [type]', 'tell which pool each country gets now', 'meridian coverage net.cat A --csv'))
    .option('--csv', 'print comma-separated values')
    .option('--json', 'print JSON')
    .option('--offline', 'read the files instead of asking a server')
    .action(async (name: string, type: string | undefined, options) => {
      const { coverage } = await import('./coverage.ts');
      await coverage({ ...options, name, type });
    });
  talks(add('status', 'print targets and zones', 'meridian status\nmeridian status --admin http://192.0.2.1:8053'))
    .option('--json', 'print JSON')
    .action(async (options) => {
      const { status } = await import('./status.ts');
      await status(options);
    });
  talks(add('events', 'print what happened', 'meridian events --limit 20\nmeridian events --follow'))
    .option('-f, --follow', 'go on as it happens')
    .option('--limit <count>', 'how many of the past')
    .option('--json', 'print JSON, one event a line')
    .action(async (options) => {
      const { events } = await import('./events.ts');
      await events(options);
    });
}

function addForce(add: Add, talks: Talks): void {
  const why = (command: Command): Command =>
    talks(command)
      .requiredOption('--for <duration>', '30s, 30m, 2h, 1d or forever')
      .requiredOption('--reason <text>', 'why, for those who find it later');
  const forced = [
    'meridian force net.cat/moscow/203.0.113.10 --for 30m --reason "disk is full"',
    'meridian force net.cat/moscow --state up --for 1h --reason "the probe is wrong"',
  ].join('\n');
  why(add('force <target>', 'force a target (ZONE/POOL/ADDRESS) or a pool (ZONE/POOL) down, or up', forced))
    .option('--state <state>', 'up, down or drain', 'down')
    .action(async (target: string, options) => {
      const { force } = await import('./force.ts');
      await force(target, options);
    });
  why(
    add(
      'drain <target>',
      'take a target or a pool out of new answers',
      'meridian drain net.cat/rio --for forever --reason move',
    ),
  ).action(async (target: string, options) => {
    const { force } = await import('./force.ts');
    await force(target, { ...options, state: 'drain' });
  });
  talks(add('unforce <target>', 'leave a target or a pool to its probes again', 'meridian unforce net.cat/rio'))
    .option('--for <duration>', 'taken and ignored, as is --reason')
    .option('--reason <text>')
    .action(async (target: string, options) => {
      const { unforce } = await import('./force.ts');
      await unforce(target, options);
    });
  talks(add('reload', 'read the files again and report what is wrong', 'meridian reload')).action(async (options) => {
    const { reload } = await import('./reload.ts');
    await reload(options);
  });
}

function addGeoip(add: Add, outcome: { code: number }): void {
  const geoip = add(
    'geoip',
    'bring the geographic databases up to date',
    'meridian geoip update\nmeridian geoip update --force',
  );
  geoip
    .command('update')
    .description('fetch the databases that the settings name (geoip.update), and put those in place that are newer')
    .exitOverride()
    .allowExcessArguments(false)
    .option('--force', 'whether there is something newer or not, however much it changes')
    .option('--json', 'print a JSON array')
    .option(...CONFIG)
    .action(async (options: ConfigOption & { force?: true; json?: true }) => {
      const { geoipUpdate } = await import('./geoip.ts');
      const { config, force = false, json = false } = options;
      outcome.code = await geoipUpdate({ config, force, json });
    });
}

function addTokens(add: Add): void {
  const token = add('token', 'manage the tokens of the admin', 'meridian token add alice operator');
  token
    .command('add <name> <role>')
    .description('make a token and print it, once; roles: scraper (may read /metrics alone), viewer, operator, admin')
    .exitOverride()
    .allowExcessArguments(false)
    .option(...CONFIG)
    .action(async (name: string, role: string, options: ConfigOption) => {
      const { tokenAdd } = await import('./token.ts');
      tokenAdd(name, role, options.config);
    });
  add(
    'import <format> <file>',
    'make a zone file of another format (not there yet)',
    'meridian import bind db.net.cat',
  ).action((format: string) => {
    throw new Failure(EXIT.usage, `import is not there yet: no format is read so far, not "${format}" either`);
  });
}

function addCompletion(add: Add, meridian: Command): void {
  const examples = [
    'source <(meridian completion bash)',
    'meridian completion zsh > ~/.zfunc/_meridian',
    'meridian completion fish > ~/.config/fish/completions/meridian.fish',
  ].join('\n');
  add('completion <shell>', 'print what completes commands in bash, zsh or fish', examples).action(
    async (shell: string) => {
      const [{ commandTree }, { completionScript }] = await Promise.all([
        import('./command-tree.ts'),
        import('./completion.ts'),
      ]);
      process.stdout.write(completionScript(shell, commandTree(meridian)));
    },
  );
}
