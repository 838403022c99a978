#ifndef ENTREPOT_SERVICES_PROCESS_GRPC_PROCESS_H_
#define ENTREPOT_SERVICES_PROCESS_GRPC_PROCESS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/config/v1/shared.pb.h"
#include "grpcpp/impl/service_type.h"
#include "services/core/time/clock.h"
#include "services/kv/stack/kv_stack.h"
#include "services/process/executor_metrics.h"
#include "services/runtime/config/config_problems.h"
#include "services/runtime/health_checks.h"
#include "services/runtime/service_main.h"
#include "services/runtime/threads/executor.h"

// What every process that serves one gRPC service over a KV of its own has in common.
namespace entrepot::process {

// The part that differs between such processes: a service's domain classes and its gRPC service over them.
class HostedService {
 public:
  // Called after the last call and the last job of the executor have ended.
  virtual ~HostedService() = default;

  virtual grpc::Service* grpc_service() = 0;
  // See RunningService::Checks(). The process checks itself whether the KV can be written.
  virtual std::vector<runtime::HealthCheck> Checks() { return {}; }
  // Called when a drain begins, before the server stops accepting calls: ends calls that would outlast it.
  virtual void BeginDrain() {}
};

// What the process provides to its service, and destroys after it.
struct ProcessResources {
  const std::string& data_directory;
  kv::KvStack* kv;
  const Clock* clock;
  runtime::Executor* executor;
  // For more executors of the service.
  ExecutorMetrics* executor_metrics;
  const runtime::ServiceContext& context;
};

using MakeHostedService = std::function<absl::StatusOr<std::unique_ptr<HostedService>>(const ProcessResources&)>;

struct GrpcProcessOptions {
  std::string data_directory;
  config::v1::RecordStore records = {};
  config::v1::Endpoint endpoint;
  size_t executor_threads = 16;
};

// Fills in and checks the field `grpc` of the configuration. It fits the connections to the process's file descriptors,
// of which the KV needs some.
void FillAndCheckGrpc(config::v1::Endpoint* endpoint, runtime::ConfigProblems* problems);

// Opens the KV (process_kv.h), starts the executor, makes the service, and serves it on the endpoint. A drain lets
// calls finish until its deadline. Errors are those of OpenProcessKv(), `make` and GrpcServer::Start().
absl::StatusOr<std::unique_ptr<runtime::RunningService>> StartGrpcProcess(const GrpcProcessOptions& options,
                                                                          const runtime::ServiceContext& context,
                                                                          const MakeHostedService& make);

}  // namespace entrepot::process

#endif  // ENTREPOT_SERVICES_PROCESS_GRPC_PROCESS_H_
