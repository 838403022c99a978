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
// the threads, so that an upstream that hangs leaves threads for the others; its further calls wait for their turn in
// order, without a thread. Thread-safe.
class UpstreamCalls {
 public:
  static constexpr size_t kCallsWaitingMax = 1024;

  // With OK it may block. Otherwise it is refused, and must return soon: kUnavailable (UNAVAILABLE) with a Retry-After.
  using Call = absl::AnyInvocable<void(const absl::Status& turn)>;

  // `waiting_max`: of one upstream. The executor outlives the calls, which may outlive the object.
  explicit UpstreamCalls(runtime::Executor* executor, size_t waiting_max = kCallsWaitingMax);

  // `repository`: its name here; the upstream is the first component. A refused call runs at once, on this thread.
  void Post(absl::string_view repository, Call call);

 private:
  struct State;

  // Each call has it until its turn ends.
  const std::shared_ptr<State> state_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_CALLS_H_
