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
#include "gateway/backends/grpc/grpc_retry.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "services/runtime/grpc/grpc_deadline.h"
#include "services/runtime/grpc/grpc_request_id.h"
#include "services/status/grpc_status.h"

namespace entrepot::gateway {

// One unary call of a stub's callback API, its request still to come.
template <typename Async, typename Request, typename Response>
using GrpcMethod = void (Async::*)(grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>);

// How the gRPC backends call a service. A call that did not come through is made again (grpc_retry.h), so that a
// service that restarts costs no request: every call made here is safe to make twice, but for CallOnce(). Thread-safe.
class GrpcClient {
 public:
  // `calls` must outlive all calls. `deadline` is for one call with all its attempts.
  GrpcClient(GrpcCalls* calls, absl::Duration deadline) : calls_(calls), deadline_(deadline) {}

  GrpcCalls* calls() const { return calls_; }
  absl::Duration deadline() const { return deadline_; }

  // Calls `method` of `async` and resumes on the caller's executor.
  template <typename Async, typename Request, typename Response>
  boost::asio::awaitable<absl::StatusOr<Response>> Call(Async* async, GrpcMethod<Async, Request, Response> method,
                                                        std::string request_id, Request request) const {
    GrpcRetry retry(deadline_);
    co_return co_await Repeat(retry, async, method, request_id, request);
  }

  // The same for a call that is not safe to make twice: one that did not come through, or whose answer did not come
  // back, is kUnavailable.
  template <typename Async, typename Request, typename Response>
  boost::asio::awaitable<absl::StatusOr<Response>> CallOnce(Async* async, GrpcMethod<Async, Request, Response> method,
                                                            std::string request_id, Request request) const {
    const auto call = std::make_shared<UnaryCall<Response>>();
    co_await RunOnce(call, runtime::GrpcDeadline(deadline_), async, method, request_id, request);
    if (call->status.ok()) co_return std::move(call->response);
    co_return FromGrpcStatus(call->status);
  }

  // The same as Call() for one that removes something: where an earlier attempt's answer was lost, not to find it is
  // success, and the answer an empty one.
  template <typename Async, typename Request, typename Response>
  boost::asio::awaitable<absl::StatusOr<Response>> Remove(Async* async, GrpcMethod<Async, Request, Response> method,
                                                          std::string request_id, Request request) const {
    GrpcRetry retry(deadline_);
    absl::StatusOr<Response> response =
        co_await Repeat<Async, Request, Response>(retry, async, method, request_id, request);
    if (retry.repeated() && absl::IsNotFound(response.status())) response = Response();
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
  boost::asio::awaitable<absl::StatusOr<Response>> Repeat(GrpcRetry& retry, Async* async,
                                                          GrpcMethod<Async, Request, Response> method,
                                                          const std::string& request_id, const Request& request) const {
    for (;;) {
      const auto call = std::make_shared<UnaryCall<Response>>();
      co_await RunOnce(call, retry.deadline(), async, method, request_id, request);
      if (call->status.ok()) co_return std::move(call->response);
      if (!co_await retry.Again(call->status)) co_return FromGrpcStatus(call->status);
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

  // Starts the call and waits for its end.
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

  GrpcCalls* const calls_;
  const absl::Duration deadline_;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_CLIENT_H_
