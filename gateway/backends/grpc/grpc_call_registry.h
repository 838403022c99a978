#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_CALL_REGISTRY_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_CALL_REGISTRY_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace entrepot::gateway {

// A call to a service.
class GrpcCall {
 public:
  virtual ~GrpcCall() = default;
  // Makes the call end soon. Must not run while a coroutine uses the call.
  virtual void Cancel() = 0;
};

// The gateway's calls under way. gRPC's threads resume coroutines by posting to their io_context, which must live until
// the last call has ended. To end: stop and join the threads of the io_contexts, call CancelAll(), then destroy the
// io_contexts. Thread-safe.
class GrpcCallRegistry {
 public:
  // Calls CancelAll().
  ~GrpcCallRegistry();

  // Call this before the call is started.
  void Add(const std::shared_ptr<GrpcCall>& call);
  // The last step of a call's callback: drops the reference from Add().
  void Remove(GrpcCall* call);

  // Cancels every call and returns when none is left. Requires that the io_contexts' threads have been joined, so that
  // no call is added. Coroutines that waited for a call are destroyed with their io_context later.
  void CancelAll();

 private:
  absl::Mutex mutex_;
  absl::flat_hash_map<GrpcCall*, std::shared_ptr<GrpcCall>> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_CALL_REGISTRY_H_
