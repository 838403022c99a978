#include "services/runtime/termination_signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "services/runtime/log/json_log.h"

namespace entrepot::runtime {
namespace {

// Blocks the signals, so that they arrive only at the descriptor that this returns.
int OpenSignalFd() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

// The number of a pending signal; 0 if there is none.
int TakeSignal(int fd) {
  signalfd_siginfo info;
  return ::read(fd, &info, sizeof(info)) == sizeof(info) ? static_cast<int>(info.ssi_signo) : 0;
}

[[noreturn]] void ExitNow(absl::string_view why, int code) {
  Log(LogLevel::kError, why, {{"exit_code", code}});
  // Not exit(): other threads still use objects that it would destroy.
  ::_exit(code);
}

int PollMilliseconds(absl::Duration until) {
  constexpr absl::Duration kLongest = absl::Hours(1);
  return static_cast<int>(absl::ToInt64Milliseconds(std::clamp(until, absl::ZeroDuration(), kLongest))) + 1;
}

}  // namespace

TerminationSignals::TerminationSignals()
    : signal_fd_(OpenSignalFd()), wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  std::signal(SIGPIPE, SIG_IGN);
  watcher_ = std::thread([this] { Watch(); });
}

TerminationSignals::~TerminationSignals() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  Wake();
  watcher_.join();
}

int TerminationSignals::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return first_ != 0; });
  return first_;
}

void TerminationSignals::ExitAt(Deadline deadline) {
  {
    std::lock_guard lock(mutex_);
    exit_at_ = deadline;
  }
  Wake();
}

void TerminationSignals::Wake() { ::eventfd_write(wake_fd_.get(), 1); }

void TerminationSignals::Watch() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const absl::Duration left = exit_at_.Left();
    if (left == absl::ZeroDuration()) ExitNow("the drain did not end in time", 1);
    lock.unlock();
    pollfd fds[] = {{signal_fd_.get(), POLLIN, 0}, {wake_fd_.get(), POLLIN, 0}};
    ::poll(fds, 2, PollMilliseconds(left));
    eventfd_t ignored;
    ::eventfd_read(wake_fd_.get(), &ignored);
    const int signal = TakeSignal(signal_fd_.get());
    lock.lock();
    if (signal == 0) continue;
    if (first_ != 0) ExitNow("ended by a second signal", 128 + signal);
    first_ = signal;
    changed_.notify_all();
  }
}

}  // namespace entrepot::runtime
