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
  // Makes the call end soon. While no coroutine runs that uses it.
  virtual void Cancel() = 0;
};

// The calls that the gateway has under way. gRPC's threads resume coroutines by posting to their io_context, which must
// live until the last call has ended: CancelAll() sees to that. Safe from any thread.
class GrpcCalls {
 public:
  // CancelAll().
  ~GrpcCalls();

  // Before the call is started.
  void Add(const std::shared_ptr<GrpcCall>& call);
  // The last thing that a call's callback does: drops what Add() was given.
  void Remove(GrpcCall* call);

  // Cancels every call and returns when none is left. The io_contexts' threads have been joined, so that none is added
  // any more; coroutines that waited for a call are then destroyed with their io_context.
  void CancelAll();

 private:
  absl::Mutex mutex_;
  absl::flat_hash_map<GrpcCall*, std::shared_ptr<GrpcCall>> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_CALL_REGISTRY_H_
