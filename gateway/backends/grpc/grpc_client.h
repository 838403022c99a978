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
#include "services/runtime/grpc/service_replicas.h"
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

// Calls the replicas of a service for the gRPC backends. A call that failed to reach the service is made again, to
// another replica if there is one, so that a restart of the service fails no request. All calls but CallOnce() must be
// safe to make twice. Thread-safe.
template <typename Service>
class GrpcClient {
 public:
  using Async = typename Service::StubInterface::async_interface;

  // `calls` must outlive all calls. `deadline` covers one call with all its attempts.
  GrpcClient(std::shared_ptr<runtime::ServiceReplicas> replicas, GrpcCallRegistry* calls, absl::Duration deadline)
      : replicas_(std::move(replicas)), calls_(calls), deadline_(deadline) {}

  runtime::ServiceReplicas& replicas() const { return *replicas_; }
  GrpcCallRegistry* calls() const { return calls_; }
  absl::Duration deadline() const { return deadline_; }

  // Calls `method` and resumes on the caller's executor.
  template <typename Request, typename Response>
  boost::asio::awaitable<absl::StatusOr<Response>> Call(GrpcMethod<Async, Request, Response> method,
                                                        std::string request_id, Request request) const {
    GrpcCallAttempts attempts(deadline_);
    co_return co_await Repeat(attempts, method, request_id, request);
  }

  // For a call that is not safe to make twice. kUnavailable: the call did not reach the service, or its response was
  // lost.
  template <typename Request, typename Response>
  boost::asio::awaitable<absl::StatusOr<Response>> CallOnce(GrpcMethod<Async, Request, Response> method,
                                                            std::string request_id, Request request) const {
    const auto call = std::make_shared<UnaryCall<Response>>(*replicas_);
    co_await RunOnce(call, runtime::GrpcDeadline(deadline_), method, request_id, request);
    if (call->status.ok()) co_return std::move(call->response);
    co_return FromGrpcStatus(call->status);
  }

  // Like Call(), for a call that removes something. If an earlier attempt may have removed it, kNotFound counts as
  // success with an empty response.
  template <typename Request, typename Response>
  boost::asio::awaitable<absl::StatusOr<Response>> Remove(GrpcMethod<Async, Request, Response> method,
                                                          std::string request_id, Request request) const {
    GrpcCallAttempts attempts(deadline_);
    absl::StatusOr<Response> response = co_await Repeat<Request, Response>(attempts, method, request_id, request);
    if (attempts.repeated() && absl::IsNotFound(response.status())) response = Response();
    co_return response;
  }

 private:
  template <typename Response>
  struct UnaryCall : GrpcCall {
    explicit UnaryCall(runtime::ServiceReplicas& replicas) : replica(replicas) {}
    void Cancel() override { context.TryCancel(); }

    runtime::ReplicaCall replica;
    grpc::ClientContext context;
    Response response;
    grpc::Status status;
  };

  template <typename Request, typename Response>
  boost::asio::awaitable<absl::StatusOr<Response>> Repeat(GrpcCallAttempts& attempts,
                                                          GrpcMethod<Async, Request, Response> method,
                                                          const std::string& request_id, const Request& request) const {
    for (;;) {
      const auto call = std::make_shared<UnaryCall<Response>>(*replicas_);
      co_await RunOnce(call, attempts.deadline(), method, request_id, request);
      if (call->status.ok()) co_return std::move(call->response);
      if (!co_await attempts.WaitToRetry(call->status)) co_return FromGrpcStatus(call->status);
    }
  }

  template <typename Request, typename Response>
  boost::asio::awaitable<void> RunOnce(const std::shared_ptr<UnaryCall<Response>>& call, runtime::GrpcDeadline deadline,
                                       GrpcMethod<Async, Request, Response> method, const std::string& request_id,
                                       const Request& request) const {
    runtime::SetRequestId(request_id, &call->context);
    deadline.Limit(&call->context);
    call->replica.GiveUpIfSilent(std::shared_ptr<grpc::ClientContext>(call, &call->context));
    return Run(call, [&call, &request, method](std::function<void(grpc::Status)> done) {
      Async* const async = call->replica.template stub<Service>().async();
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
          start([calls = calls_, call, work, resume](const grpc::Status& status) mutable {
            call->status = call->replica.End(status);
            boost::asio::post(work.get_executor(), [resume = std::move(resume)] { std::move (*resume)(); });
            work.reset();
            calls->Remove(call.get());
          });
        },
        token);
  }

  const std::shared_ptr<runtime::ServiceReplicas> replicas_;
  GrpcCallRegistry* const calls_;
  const absl::Duration deadline_;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_GRPC_CLIENT_H_
