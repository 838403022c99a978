#include "services/upstream/upstream_calls.h"

#include <algorithm>
#include <list>
#include <optional>
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
#include "services/upstream/fetch/client_counts.h"

namespace entrepot::upstream {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(5);

absl::Status TooManyWait(absl::string_view upstream, absl::string_view whose, size_t waiting_max) {
  const std::string problem = absl::StrCat("more than ", waiting_max, " requests", whose, " wait for the upstream ",
                                           QuotedInput(upstream), "; try again later");
  return WithRetryAfter(OciError(OciErrorCode::kUnavailable, problem, problem), kRetryAfter);
}

}  // namespace

struct UpstreamCalls::State {
  struct Waiting {
    std::string client;
    Call call;
  };
  struct Queue {
    size_t running = 0;
    ClientCounts running_of;
    std::list<Waiting> waiting;
    ClientCounts waiting_of;

    void Begin(const std::string& client) {
      ++running;
      running_of.Add(client);
    }
    void End(const std::string& client) {
      --running;
      running_of.Remove(client);
    }
    absl::Status AddWaiting(absl::string_view upstream, size_t waiting_max, const std::string& client, Call* call);
    // nullopt if none waits.
    std::optional<Waiting> TakeNext();
  };

  runtime::Executor& executor;
  const size_t running_max;
  const size_t waiting_max;
  absl::Mutex mutex;
  absl::flat_hash_map<std::string, Queue> queues ABSL_GUARDED_BY(mutex);  // By upstream; those with calls.

  // Runs a call that has its turn, and then those that waited for it.
  static void Start(std::shared_ptr<State> state, std::string upstream, Waiting next);
  // The call of that client has ended. The next call, which has the turn now; nullopt if none waits.
  std::optional<Waiting> PassOn(const std::string& upstream, const std::string& client);
};

UpstreamCalls::UpstreamCalls(runtime::Executor* executor, size_t waiting_max)
    : state_(new State{.executor = *executor,
                       .running_max = std::max<size_t>(executor->threads() / 2, 1),
                       .waiting_max = waiting_max,
                       .mutex = {},
                       .queues = {}}) {}

void UpstreamCalls::Post(absl::string_view repository, absl::string_view client_name, Call call) {
  std::string upstream(repository.substr(0, repository.find('/')));
  std::string client(client_name);
  absl::Status refusal;
  {
    const absl::MutexLock lock(&state_->mutex);
    State::Queue& queue = state_->queues[upstream];
    if (queue.running == state_->running_max) {
      refusal = queue.AddWaiting(upstream, state_->waiting_max, client, &call);
      if (refusal.ok()) return;
    } else {
      queue.Begin(client);
    }
  }
  if (!refusal.ok()) return call(refusal);
  State::Start(state_, std::move(upstream), {.client = std::move(client), .call = std::move(call)});
}

absl::Status UpstreamCalls::State::Queue::AddWaiting(absl::string_view upstream, size_t waiting_max,
                                                     const std::string& client, Call* call) {
  if (waiting.size() >= waiting_max) return TooManyWait(upstream, "", waiting_max);
  const size_t share = std::max<size_t>(waiting_max / kShareOfClient, 1);
  if (!client.empty() && waiting_of.Of(client) >= share)
    return TooManyWait(upstream, " of this account or address", share);
  waiting_of.Add(client);
  waiting.push_back({.client = client, .call = std::move(*call)});
  return absl::OkStatus();
}

std::optional<UpstreamCalls::State::Waiting> UpstreamCalls::State::Queue::TakeNext() {
  const auto next = FirstOfFewest<Waiting>(waiting, running_of, [](const Waiting&) { return true; });
  if (next == waiting.end()) return std::nullopt;
  Waiting taken = std::move(*next);
  waiting.erase(next);
  waiting_of.Remove(taken.client);
  return taken;
}

void UpstreamCalls::State::Start(std::shared_ptr<State> state, std::string upstream, Waiting next) {
  runtime::Executor& threads = state->executor;
  threads.Post([state = std::move(state), upstream = std::move(upstream), running = std::move(next)]() mutable {
    running.call(absl::OkStatus());
    running.call = nullptr;
    std::optional<Waiting> following = state->PassOn(upstream, running.client);
    if (following.has_value()) Start(std::move(state), std::move(upstream), *std::move(following));
  });
}

std::optional<UpstreamCalls::State::Waiting> UpstreamCalls::State::PassOn(const std::string& upstream,
                                                                          const std::string& client) {
  const absl::MutexLock lock(&mutex);
  const auto found = queues.find(upstream);
  Queue& queue = found->second;
  queue.End(client);
  std::optional<Waiting> next = queue.TakeNext();
  if (next.has_value()) {
    queue.Begin(next->client);
  } else if (queue.running == 0) {
    queues.erase(found);
  }
  return next;
}

}  // namespace entrepot::upstream
