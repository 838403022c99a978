#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_STREAM_STATE_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_STREAM_STATE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "boost/asio/any_io_executor.hpp"
#include "boost/asio/as_tuple.hpp"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "gateway/backends/grpc/grpc_call_registry.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "services/runtime/grpc/grpc_request_id.h"
#include "services/runtime/grpc/service_replicas.h"

namespace entrepot::gateway {

// The state of a streaming call, shared by the coroutine that uses it and gRPC's threads that report events. All
// methods but Report() and Ended() must run on the coroutine's executor, which runs one function at a time.
//
// A reactor derives from this class and lives in a shared_ptr, which the coroutine's side holds, and gRPC's side until
// OnDone.
class GrpcStreamState : public GrpcCall, public std::enable_shared_from_this<GrpcStreamState> {
 public:
  // `replicas` must outlive the call.
  GrpcStreamState(boost::asio::any_io_executor executor, runtime::ServiceReplicas& replicas, GrpcCallRegistry* calls,
                  const std::string& request_id)
      : executor_(std::move(executor)), timer_(executor_), calls_(calls), replica_(replicas) {
    runtime::SetRequestId(request_id, &context_);
  }
  bool done() const { return done_; }
  // Valid after done().
  const grpc::Status& status() const { return status_; }
  grpc::ClientContext& context() { return context_; }

  // The coroutine starts no more operations. The call does not end before this.
  void Release() {
    if (std::exchange(held_, false)) DropHold();
  }
  // Makes the call end soon, whatever is under way.
  void Cancel() override {
    context_.TryCancel();
    Release();
  }

  // Waits until `reached()` returns true; false after `timeout`.
  template <typename Reached>
  boost::asio::awaitable<bool> Wait(absl::Duration timeout, Reached reached) {
    timer_.expires_after(absl::ToChronoNanoseconds(timeout));
    while (!reached()) {
      const auto [cancelled] = co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
      if (!cancelled && !reached()) co_return false;
    }
    co_return true;
  }

  // Lets the call end, and awaits its status; nullopt if it did not end within the timeout, and was cancelled. The
  // caller must keep this alive.
  boost::asio::awaitable<std::optional<grpc::Status>> End(absl::Duration timeout) {
    Release();
    if (co_await Wait(timeout, [this] { return done_; })) co_return status_;
    Cancel();
    co_return std::nullopt;
  }

 protected:
  // The replica of this call.
  const runtime::ReplicaCall& replica() const { return replica_; }

  // Call after AddHold() and before StartCall(). gRPC's side holds this from now on.
  void Begin() {
    held_ = true;
    self_ = shared_from_this();
    calls_->Add(self_);
    replica_.GiveUpIfSilent(std::shared_ptr<grpc::ClientContext>(self_, &context_));
  }

  // Must call the reactor's RemoveHold().
  virtual void DropHold() = 0;

  // Called on gRPC's threads: makes a change on the executor, then wakes the coroutine.
  template <typename Change>
  void Report(Change change) {
    boost::asio::post(executor_, [self = shared_from_this(), change = std::move(change)] {
      change();
      self->timer_.cancel();
    });
  }

  // Called by OnDone on gRPC's threads. The caller must not use this object afterwards.
  void Ended(const grpc::Status& status) {
    Report([this, status = replica_.End(status)] {
      status_ = status;
      done_ = true;
    });
    GrpcCallRegistry* const calls = calls_;
    self_.reset();  // The reference in `calls` is the last one of gRPC's side.
    calls->Remove(this);
  }

 private:
  const boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  GrpcCallRegistry* const calls_;
  runtime::ReplicaCall replica_;
  grpc::ClientContext context_;
  std::shared_ptr<GrpcStreamState> self_;  // Held by gRPC's side.
  grpc::Status status_;
  bool held_ = false;
  bool done_ = false;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_STREAM_STATE_H_
