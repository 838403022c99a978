#include "services/runtime/grpc/grpc_interceptors.h"

#include <atomic>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "grpcpp/support/interceptor.h"
#include "services/core/time/stopwatch.h"
#include "services/runtime/grpc/grpc_call_metrics.h"
#include "services/runtime/grpc/grpc_request_id.h"
#include "services/runtime/log/limited_log.h"

namespace entrepot::runtime {
namespace {

using ::grpc::experimental::ClientRpcInfo;
using ::grpc::experimental::InterceptionHookPoints;
using ::grpc::experimental::Interceptor;
using ::grpc::experimental::InterceptorBatchMethods;
using ::grpc::experimental::ServerRpcInfo;

// Measures a call from its start to its first end, on whichever of gRPC's threads it is reported.
class CallTimer {
 public:
  explicit CallTimer(GrpcCallMetrics::Method& method) : method_(method) {}

  // Whether this was the first end.
  bool End(grpc::StatusCode code) {
    if (ended_.exchange(true, std::memory_order_relaxed)) return false;
    method_.CountHandled(code, stopwatch_.Elapsed());
    return true;
  }

 private:
  GrpcCallMetrics::Method& method_;
  const Stopwatch stopwatch_;
  std::atomic<bool> ended_{false};
};

bool IsWorthALine(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::INTERNAL ||
         code == grpc::StatusCode::DATA_LOSS || code == grpc::StatusCode::UNKNOWN;
}

void LogFailure(const char* method, const grpc::Status& status, const std::string& request_id) {
  const std::string code = absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
  LogLimited(LogLevel::kError, "call failed", absl::StrCat(method, " ", code),
             {{"method", method}, {"code", code}, {"error", status.error_message()}, {"request_id", request_id}});
}

class ServerInterceptor : public Interceptor {
 public:
  ServerInterceptor(ServerRpcInfo* info, GrpcCallMetrics::Method& method) : info_(info), timer_(method) {
    method.CountStarted();
  }
  ~ServerInterceptor() override { timer_.End(grpc::StatusCode::CANCELLED); }

  void Intercept(InterceptorBatchMethods* batch) override {
    if (batch->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      HandleStatus(batch->GetSendStatus());
    } else if (batch->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_CLOSE)) {
      // After a status this is the ordinary end of the call; before it, the client disconnected.
      timer_.End(grpc::StatusCode::CANCELLED);
    }
    batch->Proceed();
  }

 private:
  void HandleStatus(const grpc::Status& status) {
    // The handler may see the cancellation, and set its status, before this interceptor does.
    const bool seen = !info_->server_context()->IsCancelled();
    const grpc::StatusCode code = seen ? status.error_code() : grpc::StatusCode::CANCELLED;
    if (timer_.End(code) && IsWorthALine(code)) {
      LogFailure(info_->method(), status, RequestIdOf(*info_->server_context()));
    }
  }

  ServerRpcInfo* const info_;
  CallTimer timer_;
};

class ClientInterceptor : public Interceptor {
 public:
  explicit ClientInterceptor(GrpcCallMetrics::Method& method) : timer_(method) {}
  ~ClientInterceptor() override { timer_.End(grpc::StatusCode::CANCELLED); }

  void Intercept(InterceptorBatchMethods* batch) override {
    if (batch->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_STATUS)) {
      timer_.End(batch->GetRecvStatus()->error_code());
    }
    batch->Proceed();
  }

 private:
  CallTimer timer_;
};

class ServerInterceptorFactory : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit ServerInterceptorFactory(const std::shared_ptr<prometheus::Registry>& registry)
      : metrics_("server", registry) {}

  Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return new ServerInterceptor(info, metrics_.Of(info->method()));
  }

 private:
  GrpcCallMetrics metrics_;
};

class ClientInterceptorFactory : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit ClientInterceptorFactory(const std::shared_ptr<prometheus::Registry>& registry)
      : metrics_("client", registry) {}

  Interceptor* CreateClientInterceptor(ClientRpcInfo* info) override {
    return new ClientInterceptor(metrics_.Of(info->method()));
  }

 private:
  GrpcCallMetrics metrics_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeServerInterceptorFactory(
    const std::shared_ptr<prometheus::Registry>& registry) {
  return std::make_unique<ServerInterceptorFactory>(registry);
}

std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> MakeClientInterceptorFactory(
    const std::shared_ptr<prometheus::Registry>& registry) {
  return std::make_unique<ClientInterceptorFactory>(registry);
}

}  // namespace entrepot::runtime
