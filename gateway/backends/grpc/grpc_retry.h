#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_RETRY_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_RETRY_H_

#include "absl/time/time.h"
#include "boost/asio/awaitable.hpp"
#include "grpcpp/support/status.h"
#include "services/runtime/grpc/grpc_deadline.h"
#include "services/runtime/grpc/grpc_retry_policy.h"

namespace entrepot::gateway {

// runtime::GrpcRestartPatience for one call of a coroutine.
class GrpcRetry {
 public:
  // `deadline` is for all attempts together.
  explicit GrpcRetry(absl::Duration deadline);
  GrpcRetry(const GrpcRetry&) = delete;
  GrpcRetry& operator=(const GrpcRetry&) = delete;

  // Until when an attempt may take.
  const runtime::GrpcDeadline& deadline() const { return deadline_; }
  // Whether an attempt was made before this one, which may have done its work.
  bool repeated() const { return repeated_; }

  // After an attempt that ended so: waits and returns true, or returns false at once.
  boost::asio::awaitable<bool> Again(const grpc::Status& status);

 private:
  const runtime::GrpcDeadline deadline_;
  runtime::GrpcRestartPatience patience_;
  bool repeated_ = false;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_RETRY_H_
