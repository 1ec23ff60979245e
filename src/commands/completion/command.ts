import type { Command } from '../command.ts';

export const completion: Command = {
  name: 'completion',
  summary: 'print a completion script for bash, zsh or fish',
  description:
    'Prints a script with which the shell completes the commands, options and file names of `exp`. Load it in the file that your shell reads at the start.',
  arguments: [{ name: 'shell', values: () => ['bash', 'zsh', 'fish'] }],
  options: {},
  examples: [
    { line: 'echo \'eval "$(exp completion bash)"\' >> ~/.bashrc', does: 'for bash' },
    { line: 'echo \'eval "$(exp completion zsh)"\' >> ~/.zshrc', does: 'for zsh, after compinit' },
    { line: 'exp completion fish > ~/.config/fish/completions/exp.fish', does: 'for fish' },
  ],
  load: async () => (await import('./run.ts')).completionCommand,
};
