#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_STREAM_STATE_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_STREAM_STATE_H_

#include <memory>
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

namespace entrepot::gateway {

// Where a streaming call stands, between the coroutine that uses it and gRPC's threads that report on it. All but
// Report() and Ended() belongs to the coroutine's executor, which runs one thing at a time.
//
// A reactor is one of these, in a shared_ptr that both the coroutine's side and, until OnDone, gRPC's side hold.
class GrpcStreamState : public GrpcCall, public std::enable_shared_from_this<GrpcStreamState> {
 public:
  GrpcStreamState(boost::asio::any_io_executor executor, GrpcCalls* calls, const std::string& request_id)
      : executor_(std::move(executor)), timer_(executor_), calls_(calls) {
    runtime::SetRequestId(request_id, &context_);
  }
  bool done() const { return done_; }
  // Once done.
  const grpc::Status& status() const { return status_; }
  grpc::ClientContext& context() { return context_; }

  // The coroutine starts nothing more: without it the call does not end.
  void Release() {
    if (std::exchange(held_, false)) DropHold();
  }
  // The call ends soon, whatever is under way.
  void Cancel() override {
    context_.TryCancel();
    Release();
  }

  // Waits until `reached()` is true of this; false where that takes longer than `timeout`.
  template <typename Reached>
  boost::asio::awaitable<bool> Wait(absl::Duration timeout, Reached reached) {
    timer_.expires_after(absl::ToChronoNanoseconds(timeout));
    while (!reached()) {
      const auto [cancelled] = co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
      if (!cancelled && !reached()) co_return false;
    }
    co_return true;
  }

 protected:
  // Before StartCall and after AddHold: gRPC's side holds this from now on.
  void Begin() {
    held_ = true;
    self_ = shared_from_this();
    calls_->Add(self_);
  }

  // RemoveHold() of the reactor.
  virtual void DropHold() = 0;

  // On gRPC's threads: has the executor make a change and wake the coroutine.
  template <typename Change>
  void Report(Change change) {
    boost::asio::post(executor_, [self = shared_from_this(), change = std::move(change)] {
      change();
      self->timer_.cancel();
    });
  }

  // On gRPC's threads: OnDone. The caller touches nothing of this afterwards.
  void Ended(const grpc::Status& status) {
    Report([this, status] {
      status_ = status;
      done_ = true;
    });
    GrpcCalls* const calls = calls_;
    self_.reset();  // What `calls` holds is the last of gRPC's side.
    calls->Remove(this);
  }

 private:
  const boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  GrpcCalls* const calls_;
  grpc::ClientContext context_;
  std::shared_ptr<GrpcStreamState> self_;  // Held by gRPC's side.
  grpc::Status status_;
  bool held_ = false;
  bool done_ = false;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_STREAM_STATE_H_
