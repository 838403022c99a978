#include "services/ctl/command_line/user_input.h"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "services/core/files/owned_fd.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

absl::StatusOr<std::string> FirstLine(std::istream& stream, const std::string& name) {
  std::string line;
  if (!std::getline(stream, line) && line.empty() && !stream.eof()) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read a password from ", name, ": ", std::strerror(errno)));
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.empty()) return absl::InvalidArgumentError(absl::StrCat("the first line of ", name, " is empty"));
  return line;
}

// During its life the terminal does not show input, and Ctrl-C interrupts read() instead of the process.
class SilentTerminal {
 public:
  explicit SilentTerminal(int fd) : fd_(fd) {
    ::tcgetattr(fd_, &before_);
    struct termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(fd_, TCSAFLUSH, &silent);
    struct sigaction interrupt {};
    interrupt.sa_handler = [](int) {};
    ::sigaction(SIGINT, &interrupt, &interrupt_before_);
  }
  ~SilentTerminal() {
    ::sigaction(SIGINT, &interrupt_before_, nullptr);
    ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

 private:
  const int fd_;
  struct termios before_ {};
  struct sigaction interrupt_before_ {};
};

absl::Status WriteTo(int fd, const std::string& text) {
  if (::write(fd, text.data(), text.size()) < 0) return absl::ErrnoToStatus(errno, "cannot write to the terminal");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadInputFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  // Unlike an iterator over the file, this does not throw if it cannot be read, as a directory.
  std::stringstream content;
  if (file.peek() != std::ifstream::traits_type::eof()) content << file.rdbuf();
  if (file.bad() || content.bad()) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path));
  return content.str();
}

absl::StatusOr<std::string> PasswordInFile(const std::string& path) {
  if (path == "-") return FirstLine(std::cin, "the standard input");
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  return FirstLine(file, path);
}

absl::StatusOr<std::string> AskPassword(const std::string& prompt, const std::string& instead) {
  const OwnedFd terminal(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (terminal.get() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a password is required, and there is no terminal to ask for it: ", instead));
  }
  // Before the prompt: it discards earlier input.
  const SilentTerminal silent(terminal.get());
  RETURN_IF_ERROR(WriteTo(terminal.get(), absl::StrCat(prompt, ": ")));
  std::string line;
  char byte = 0;
  ssize_t got;
  while ((got = ::read(terminal.get(), &byte, 1)) == 1 && byte != '\n') line += byte;
  RETURN_IF_ERROR(WriteTo(terminal.get(), "\n"));
  if (got < 0) return absl::CancelledError("cancelled");
  if (line.empty()) return absl::InvalidArgumentError("the password is empty");
  return line;
}

}  // namespace entrepot::ctl
