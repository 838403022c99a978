#ifndef ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CALLS_H_
#define ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CALLS_H_

#include <cstddef>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::upstream {

// Runs calls that may wait for an upstream on the threads of an executor. Those of one upstream have at most half of
// the threads, so that an upstream that hangs leaves threads for the others; its further calls wait for their turn,
// without a thread. The next turn goes to the client that has the fewest calls running, and among its calls to the one
// that has waited longest. So a client that asks for much does not keep the others waiting. Thread-safe.
class UpstreamCalls {
 public:
  static constexpr size_t kCallsWaitingMax = 1024;
  // The waiting calls of one client are at most one part of so many of those that may wait for the upstream: many
  // machines may share an address or an account.
  static constexpr size_t kShareOfClient = 2;

  // With OK it may block. Otherwise it is refused, and must return soon: kUnavailable (UNAVAILABLE) with a Retry-After.
  using Call = absl::AnyInvocable<void(const absl::Status& turn)>;

  // `waiting_max`: of one upstream. The executor outlives the calls, which may outlive the object.
  explicit UpstreamCalls(runtime::Executor* executor, size_t waiting_max = kCallsWaitingMax);

  // `repository`: its name here; the upstream is the first component. `client`: see Requester() in
  // services/core/client_network.h; empty for calls of the registry itself, which have no share. A refused call runs at
  // once, on this thread.
  void Post(absl::string_view repository, absl::string_view client, Call call);

 private:
  struct State;

  // Each call has it until its turn ends.
  const std::shared_ptr<State> state_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CALLS_H_
