#include "services/core/failpoint/failpoint_control.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/failpoint/failpoint_plan.h"

namespace entrepot {
namespace {

struct State {
  absl::Mutex mutex;
  std::set<std::string, std::less<>> reached ABSL_GUARDED_BY(mutex);
  const ScopedFailpoints::Handler* handler ABSL_GUARDED_BY(mutex) = nullptr;
  int calls_under_way ABSL_GUARDED_BY(mutex) = 0;
  // Set before main, and constant afterwards.
  std::unique_ptr<FailpointPlan> plan;
  int log = -1;
};

State& TheState() {
  static State* const state = new State();
  return *state;
}

[[noreturn]] void Refuse(absl::string_view what) {
  std::fprintf(stderr, "%s\n", std::string(what).c_str());
  std::_Exit(2);
}

[[maybe_unused]] const bool kEnvironmentIsRead = [] {
  State& state = TheState();
  if (const char* const text = std::getenv("ENTREPOT_FAILPOINTS"); text != nullptr) {
    auto actions = FailpointPlan::Parse(text);
    if (!actions.ok()) Refuse(absl::StrCat("ENTREPOT_FAILPOINTS: ", actions.status().message()));
    state.plan = std::make_unique<FailpointPlan>(*std::move(actions));
  }
  if (const char* const path = std::getenv("ENTREPOT_FAILPOINTS_LOG"); path != nullptr) {
    state.log = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (state.log < 0) Refuse(absl::StrCat("ENTREPOT_FAILPOINTS_LOG: cannot append to ", path));
  }
  return true;
}();

void NoteReached(State& state, absl::string_view name) {
  absl::MutexLock lock(&state.mutex);
  if (state.reached.find(name) != state.reached.end()) return;
  state.reached.emplace(name);
  const std::string line = absl::StrCat(name, "\n");
  if (state.log >= 0 && ::write(state.log, line.data(), line.size()) < 0) std::perror("ENTREPOT_FAILPOINTS_LOG");
}

absl::Status Act(absl::string_view name, const FailpointAction& action) {
  const char* const what[] = {"crash", "error", "stop", "sleep"};
  std::fprintf(stderr, "failpoint %s: %s\n", std::string(name).c_str(), what[static_cast<int>(action.kind)]);
  switch (action.kind) {
    case FailpointAction::Kind::kCrash:
      ::kill(::getpid(), SIGKILL);
      for (;;) ::pause();
    case FailpointAction::Kind::kStop:
      ::kill(::getpid(), SIGSTOP);
      break;
    case FailpointAction::Kind::kSleep:
      absl::SleepFor(action.sleep);
      break;
    case FailpointAction::Kind::kError:
      return absl::UnavailableError(absl::StrCat("failpoint ", name));
  }
  return absl::OkStatus();
}

absl::Status CallHandler(State& state, absl::string_view name) {
  const ScopedFailpoints::Handler* handler;
  {
    absl::MutexLock lock(&state.mutex);
    handler = state.handler;
    if (handler == nullptr) return absl::OkStatus();
    ++state.calls_under_way;
  }
  // A handler may throw: the simulation unwinds the threads of a process that dies.
  struct Leave {
    State& state;
    ~Leave() {
      absl::MutexLock lock(&state.mutex);
      --state.calls_under_way;
    }
  } leave{state};
  return (*handler)(name);
}

}  // namespace

absl::Status ReachFailpoint(absl::string_view name) {
  State& state = TheState();
  NoteReached(state, name);
  if (state.plan != nullptr) {
    if (const std::optional<FailpointAction> action = state.plan->Next(name)) return Act(name, *action);
  }
  return CallHandler(state, name);
}

ScopedFailpoints::ScopedFailpoints(Handler handler) : handler_(std::move(handler)) {
  State& state = TheState();
  absl::MutexLock lock(&state.mutex);
  if (state.handler != nullptr) std::abort();
  state.handler = &handler_;
}

ScopedFailpoints::~ScopedFailpoints() {
  State& state = TheState();
  absl::MutexLock lock(&state.mutex);
  state.handler = nullptr;
  const auto quiet = [](State* s) ABSL_NO_THREAD_SAFETY_ANALYSIS { return s->calls_under_way == 0; };
  state.mutex.Await(absl::Condition(+quiet, &state));
}

std::vector<std::string> ReachedFailpoints() {
  State& state = TheState();
  absl::MutexLock lock(&state.mutex);
  return {state.reached.begin(), state.reached.end()};
}

}  // namespace entrepot
