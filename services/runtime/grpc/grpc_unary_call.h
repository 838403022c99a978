#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_UNARY_CALL_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_UNARY_CALL_H_

#include <utility>

#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "services/runtime/threads/executor.h"
#include "services/status/grpc_status.h"

namespace entrepot::runtime {

// Runs `call` on the executor and finishes the server's call with the absl::Status that it returns. If the caller has
// cancelled by the time that a thread is free, `call` does not run.
template <typename Call>
void FinishOnExecutor(Executor& executor, grpc::CallbackServerContext* context, grpc::ServerUnaryReactor* reactor,
                      Call call) {
  executor.Post([context, reactor, call = std::move(call)] {
    reactor->Finish(context->IsCancelled() ? grpc::Status::CANCELLED : ToGrpcStatus(call()));
  });
}

// The same for a call that needs no reactor of its own. Returns the reactor.
template <typename Call>
grpc::ServerUnaryReactor* RunOnExecutor(Executor& executor, grpc::CallbackServerContext* context, Call call) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  FinishOnExecutor(executor, context, reactor, std::move(call));
  return reactor;
}

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_UNARY_CALL_H_
