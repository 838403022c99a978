"""A person at a terminal, who answers the prompts for passwords."""

import os
import pty
import subprocess


def run_in_terminal(command, password, **options):
    """Runs the command with a terminal -> (exit code, what the terminal shows)."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(command, stdin=end, stdout=end, stderr=end, **options)
    os.close(end)
    shown, answered = "", 0
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break  # All programs have ended.
        if not data:
            break
        shown += data.decode(errors="replace")
        # A prompt ends the line that it is on.
        if shown.endswith(": ") and "password" in shown[answered:].rpartition("\n")[2].lower():
            answered = len(shown)
            os.write(terminal, password.encode() + b"\n")
    os.close(terminal)
    return process.wait(), shown
