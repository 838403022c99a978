#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_CLIENT_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "boost/asio/async_result.hpp"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "gateway/backends/grpc/grpc_call_registry.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "services/runtime/grpc/grpc_deadline.h"
#include "services/runtime/grpc/grpc_request_id.h"
#include "services/runtime/grpc/grpc_retry_policy.h"
#include "services/status/grpc_status.h"

namespace entrepot::gateway {

// The method of a stub's callback API for one unary call.
template <typename Async, typename Request, typename Response>
using GrpcMethod = void (Async::*)(grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>);

// The attempts of one call of a coroutine, by the rules of services/runtime/grpc/grpc_retry_policy.h.
class GrpcCallAttempts {
 public:
  // `deadline` is for all attempts together.
  explicit GrpcCallAttempts(absl::Duration deadline);
  GrpcCallAttempts(const GrpcCallAttempts&) = delete;
  GrpcCallAttempts& operator=(const GrpcCallAttempts&) = delete;

  // The deadline of each attempt.
  const runtime::GrpcDeadline& deadline() const { return deadline_; }
  // Whether this is not the first attempt. An earlier one may have taken effect.
  bool repeated() const { return repeated_; }

  // Call after an attempt that ended with `status`. Returns true, after a delay, if the call is to be made again.
  boost::asio::awaitable<bool> WaitToRetry(const grpc::Status& status);

 private:
  const runtime::GrpcDeadline deadline_;
  runtime::GrpcRetryPolicy patience_;
  bool repeated_ = false;
};

// Calls a service for the gRPC backends. A call that failed to reach the service is made again, so that a restart of
// the service fails no request. All calls but CallOnce() must be safe to make twice. Thread-safe.
class GrpcClient {
 public:
  // `calls` must outlive all calls. `deadline` covers one call with all its attempts.
  GrpcClient(GrpcCallRegistry* calls, absl::Duration deadline) : calls_(calls), deadline_(deadline) {}

  GrpcCallRegistry* calls() const { return calls_; }
  absl::Duration deadline() const { return deadline_; }

  // Calls `method` of `async` and resumes on the caller's executor.
  template <typename Async, typename Request, typename Response>
  boost::asio::awaitable<absl::StatusOr<Response>> Call(Async* async, GrpcMethod<Async, Request, Response> method,
                                                        std::string request_id, Request request) const {
    GrpcCallAttempts attempts(deadline_);
    co_return co_await Repeat(attempts, async, method, request_id, request);
  }

  // For a call that is not safe to make twice. kUnavailable: the call did not reach the service, or its response was
  // lost.
  template <typename Async, typename Request, typename Response>
  boost::asio::awaitable<absl::StatusOr<Response>> CallOnce(Async* async, GrpcMethod<Async, Request, Response> method,
                                                            std::string request_id, Request request) const {
    const auto call = std::make_shared<UnaryCall<Response>>();
    co_await RunOnce(call, runtime::GrpcDeadline(deadline_), async, method, request_id, request);
    if (call->status.ok()) co_return std::move(call->response);
    co_return FromGrpcStatus(call->status);
  }

  // Like Call(), for a call that removes something. If an earlier attempt may have removed it, kNotFound counts as
  // success with an empty response.
  template <typename Async, typename Request, typename Response>
  boost::asio::awaitable<absl::StatusOr<Response>> Remove(Async* async, GrpcMethod<Async, Request, Response> method,
                                                          std::string request_id, Request request) const {
    GrpcCallAttempts attempts(deadline_);
    absl::StatusOr<Response> response =
        co_await Repeat<Async, Request, Response>(attempts, async, method, request_id, request);
    if (attempts.repeated() && absl::IsNotFound(response.status())) response = Response();
    co_return response;
  }

 private:
  template <typename Response>
  struct UnaryCall : GrpcCall {
    void Cancel() override { context.TryCancel(); }

    grpc::ClientContext context;
    Response response;
    grpc::Status status;
  };

  template <typename Async, typename Request, typename Response>
  boost::asio::awaitable<absl::StatusOr<Response>> Repeat(GrpcCallAttempts& attempts, Async* async,
                                                          GrpcMethod<Async, Request, Response> method,
                                                          const std::string& request_id, const Request& request) const {
    for (;;) {
      const auto call = std::make_shared<UnaryCall<Response>>();
      co_await RunOnce(call, attempts.deadline(), async, method, request_id, request);
      if (call->status.ok()) co_return std::move(call->response);
      if (!co_await attempts.WaitToRetry(call->status)) co_return FromGrpcStatus(call->status);
    }
  }

  template <typename Async, typename Request, typename Response>
  boost::asio::awaitable<void> RunOnce(const std::shared_ptr<UnaryCall<Response>>& call, runtime::GrpcDeadline deadline,
                                       Async* async, GrpcMethod<Async, Request, Response> method,
                                       const std::string& request_id, const Request& request) const {
    runtime::SetRequestId(request_id, &call->context);
    deadline.Limit(&call->context);
    return Run(call, [&call, &request, async, method](std::function<void(grpc::Status)> done) {
      (async->*method)(&call->context, &request, &call->response, std::move(done));
    });
  }

  // Starts the call and awaits its end.
  template <typename Response, typename Start>
  boost::asio::awaitable<void> Run(const std::shared_ptr<UnaryCall<Response>>& call, Start start) const {
    using Token = const boost::asio::use_awaitable_t<>;
    calls_->Add(call);
    Token token;
    co_await boost::asio::async_initiate<Token, void()>(
        [&](auto handler) {
          auto work = boost::asio::make_work_guard(handler);
          auto resume = std::make_shared<decltype(handler)>(std::move(handler));
          start([calls = calls_, call, work, resume](grpc::Status status) mutable {
            call->status = std::move(status);
            boost::asio::post(work.get_executor(), [resume = std::move(resume)] { std::move (*resume)(); });
            work.reset();
            calls->Remove(call.get());
          });
        },
        token);
  }

  GrpcCallRegistry* const calls_;
  const absl::Duration deadline_;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_CLIENT_H_
