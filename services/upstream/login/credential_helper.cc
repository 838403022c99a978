#include "services/upstream/login/credential_helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/value.hpp"
#include "services/core/files/owned_fd.h"
#include "services/core/text/strict_json.h"
#include "services/core/time/deadline.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::upstream {
namespace {

// The server's name must fit into an empty pipe, which nothing reads before the program runs.
constexpr size_t kServerBytesMax = 1024;
constexpr absl::Duration kStopPollInterval = absl::Milliseconds(100);
constexpr absl::string_view kNoCredentials = "credentials not found in native keychain";

constexpr std::array kVariables = {
    absl::string_view("HOME"),        absl::string_view("PATH"),          absl::string_view("http_proxy"),
    absl::string_view("https_proxy"), absl::string_view("no_proxy"),      absl::string_view("HTTPS_PROXY"),
    absl::string_view("NO_PROXY"),    absl::string_view("SSL_CERT_FILE"),
};
constexpr std::array kPrefixes = {
    absl::string_view("AWS_"),
    absl::string_view("AZURE_"),
    absl::string_view("CLOUDSDK_"),
    absl::string_view("GOOGLE_"),
};

bool IsPassedOn(absl::string_view variable) {
  const absl::string_view name = variable.substr(0, variable.find('='));
  return std::find(kVariables.begin(), kVariables.end(), name) != kVariables.end() ||
         std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](absl::string_view prefix) { return absl::StartsWith(name, prefix); });
}

std::vector<char*> Environment() {
  std::vector<char*> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (IsPassedOn(*variable)) kept.push_back(*variable);
  }
  kept.push_back(nullptr);
  return kept;
}

struct Pipe {
  OwnedFd read_end;
  OwnedFd write_end;
};

absl::StatusOr<Pipe> MakePipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot make a pipe: ", std::strerror(errno)));
  }
  return Pipe{OwnedFd(fds[0]), OwnedFd(fds[1])};
}

// A running program in a process group of its own. Kills the group and waits for the program at its end.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid), pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) Reap(/*kill=*/true);
  }

  // Readable once the program has ended; -1 if the kernel has no such descriptors.
  int ended_fd() const { return pidfd_.get(); }

  // Waits for the program, which is killed before if `kill`, kills what is left of its group, and returns the status of
  // waitpid().
  int Reap(bool kill) {
    siginfo_t ended{};
    while (!kill && ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
    }
    // Before waitpid(), after which the system may use the number again.
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
  OwnedFd pidfd_;
};

absl::StatusOr<pid_t> Spawn(const std::string& program, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::string name = program;
  std::string command = "get";
  char* const arguments[] = {name.data(), command.data(), nullptr};
  std::vector<char*> environment = Environment();
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments, environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return absl::UnavailableError(absl::StrCat("cannot be run: ", std::strerror(error)));
  return pid;
}

// Waits until the descriptor is readable, or its other end is closed.
absl::Status WaitReadable(int fd, const StopSignal& stop, const Deadline& deadline) {
  while (!deadline.passed()) {
    if (stop.stopped()) return absl::CancelledError("stopped");
    const absl::Duration wait = std::min(deadline.Left(), kStopPollInterval);
    pollfd polled{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&polled, 1, static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1) > 0) return absl::OkStatus();
  }
  return absl::UnavailableError("takes too long");
}

absl::StatusOr<std::string> ReadAll(int fd, const StopSignal& stop, const Deadline& deadline) {
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    RETURN_IF_ERROR(WaitReadable(fd, stop, deadline));
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size == 0) return text;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::UnavailableError(absl::StrCat("cannot be read: ", std::strerror(errno)));
    text.append(buffer.data(), static_cast<size_t>(size));
    if (text.size() > kCredentialHelperBytesMax) return absl::UnavailableError("returns more than 64 KiB");
  }
}

struct Outcome {
  bool succeeded = false;
  std::string output;
};

absl::StatusOr<Outcome> Run(const std::string& program, absl::string_view server, const StopSignal& stop,
                            const Deadline& deadline) {
  if (server.size() > kServerBytesMax) return absl::UnavailableError("has a server with too long a name");
  ASSIGN_OR_RETURN(Pipe input, MakePipe());
  ASSIGN_OR_RETURN(Pipe output, MakePipe());
  const std::string line = absl::StrCat(server, "\n");
  if (::write(input.write_end.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return absl::UnavailableError("cannot be given the server's name");
  }
  input.write_end = OwnedFd();
  ASSIGN_OR_RETURN(const pid_t pid, Spawn(program, input.read_end.get(), output.write_end.get()));
  Child child(pid);
  output.write_end = OwnedFd();
  ASSIGN_OR_RETURN(std::string text, ReadAll(output.read_end.get(), stop, deadline));
  if (child.ended_fd() >= 0) RETURN_IF_ERROR(WaitReadable(child.ended_fd(), stop, deadline));
  const int status = child.Reap(/*kill=*/false);
  return Outcome{.succeeded = WIFEXITED(status) && WEXITSTATUS(status) == 0, .output = std::move(text)};
}

absl::StatusOr<Credentials> Parse(absl::string_view output) {
  const auto value = ParseStrictJson(output);
  if (!value.ok() || !value->is_object()) return absl::UnavailableError("returns no JSON object");
  const boost::json::object& object = value->get_object();
  const boost::json::value* username = object.if_contains("Username");
  const boost::json::value* secret = object.if_contains("Secret");
  if (username == nullptr || !username->is_string() || secret == nullptr || !secret->is_string()) {
    return absl::UnavailableError("returns no \"Username\" and \"Secret\"");
  }
  return Credentials{.username = std::string(username->get_string().c_str(), username->get_string().size()),
                     .password = std::string(secret->get_string().c_str(), secret->get_string().size())};
}

}  // namespace

absl::StatusOr<std::optional<Credentials>> RunCredentialHelper(const std::string& program, absl::string_view server,
                                                               const StopSignal& stop, absl::Duration timeout) {
  const auto fail = [&](const absl::Status& status) {
    return absl::Status(status.code(),
                        absl::StrCat("the credential helper ", QuotedInput(program), " ", status.message()));
  };
  const auto outcome = Run(program, server, stop, Deadline::After(timeout));
  if (!outcome.ok()) return fail(outcome.status());
  const absl::string_view output = absl::StripAsciiWhitespace(outcome->output);
  if (!outcome->succeeded) {
    // Helpers write their errors to their standard output.
    if (output == kNoCredentials) return std::nullopt;
    // What begins like credentials may contain them.
    return fail(absl::UnavailableError(
        absl::StrCat("fails: ", absl::StrContains(output, '{') ? "its output is not shown" : QuotedInput(output))));
  }
  auto credentials = Parse(output);
  if (!credentials.ok()) return fail(credentials.status());
  return *std::move(credentials);
}

}  // namespace entrepot::upstream
