#include "services/upstream/upstream_calls.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"
#include "services/status/retry_after.h"

namespace entrepot::upstream {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(5);

absl::Status TooManyWait(absl::string_view upstream, size_t waiting_max) {
  const std::string problem = absl::StrCat("more than ", waiting_max, " requests wait for the upstream ",
                                           QuotedInput(upstream), "; try again later");
  return WithRetryAfter(OciError(OciErrorCode::kUnavailable, problem, problem), kRetryAfter);
}

}  // namespace

struct UpstreamCalls::State {
  struct Queue {
    size_t running = 0;
    std::deque<Call> waiting;
  };

  runtime::Executor& executor;
  const size_t running_max;
  const size_t waiting_max;
  absl::Mutex mutex;
  absl::flat_hash_map<std::string, Queue> queues ABSL_GUARDED_BY(mutex);  // By upstream; those with calls.

  // Runs a call that has its turn, and then those that waited for it.
  static void Start(std::shared_ptr<State> state, std::string upstream, Call call);
  // The next call, which has the turn now; empty if none waits.
  Call TakeNext(const std::string& upstream);
};

UpstreamCalls::UpstreamCalls(runtime::Executor* executor, size_t waiting_max)
    : state_(new State{.executor = *executor,
                       .running_max = std::max<size_t>(executor->threads() / 2, 1),
                       .waiting_max = waiting_max,
                       .mutex = {},
                       .queues = {}}) {}

void UpstreamCalls::Post(absl::string_view repository, Call call) {
  std::string upstream(repository.substr(0, repository.find('/')));
  bool refused = false;
  {
    const absl::MutexLock lock(&state_->mutex);
    State::Queue& queue = state_->queues[upstream];
    if (queue.running == state_->running_max) {
      refused = queue.waiting.size() >= state_->waiting_max;
      if (!refused) return queue.waiting.push_back(std::move(call));
    } else {
      ++queue.running;
    }
  }
  if (refused) return call(TooManyWait(upstream, state_->waiting_max));
  State::Start(state_, std::move(upstream), std::move(call));
}

void UpstreamCalls::State::Start(std::shared_ptr<State> state, std::string upstream, Call call) {
  runtime::Executor& threads = state->executor;
  threads.Post([state = std::move(state), upstream = std::move(upstream), call = std::move(call)]() mutable {
    call(absl::OkStatus());
    call = nullptr;
    Call next = state->TakeNext(upstream);
    if (next != nullptr) Start(std::move(state), std::move(upstream), std::move(next));
  });
}

UpstreamCalls::Call UpstreamCalls::State::TakeNext(const std::string& upstream) {
  const absl::MutexLock lock(&mutex);
  const auto found = queues.find(upstream);
  Queue& queue = found->second;
  if (!queue.waiting.empty()) {
    Call next = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    return next;
  }
  if (--queue.running == 0) queues.erase(found);
  return nullptr;
}

}  // namespace entrepot::upstream
