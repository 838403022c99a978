#include "services/process/grpc_process.h"

#include <utility>
#include <vector>

#include "services/core/time/clock.h"
#include "services/core/time/deadline.h"
#include "services/process/executor_metrics.h"
#include "services/process/process_kv.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/config/descriptor_checks.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/status/status_macros.h"

namespace entrepot::process {
namespace {

class GrpcProcess final : public runtime::RunningService {
 public:
  // The last jobs may still use the service after the server has finished their calls.
  ~GrpcProcess() override {
    server_.reset();
    executor_metrics_.reset();
    executor_.reset();
  }

  absl::Status Open(const GrpcProcessOptions& options, const runtime::ServiceContext& context,
                    const MakeHostedService& make) {
    ASSIGN_OR_RETURN(kv_, OpenProcessKv(options.records, options.data_directory, context));
    executor_ = std::make_unique<runtime::Executor>(options.executor_threads);
    executor_metrics_ = std::make_shared<ExecutorMetrics>();
    executor_metrics_->Add("requests", executor_.get());
    context.add_collectable(executor_metrics_);
    ASSIGN_OR_RETURN(service_, make({.data_directory = options.data_directory,
                                     .kv = kv_.get(),
                                     .clock = &clock_,
                                     .executor = executor_.get(),
                                     .executor_metrics = executor_metrics_.get(),
                                     .context = context}));
    ASSIGN_OR_RETURN(server_,
                     runtime::GrpcServer::Start(options.endpoint, {service_->grpc_service()}, context.registry));
    return absl::OkStatus();
  }

  std::vector<runtime::HealthCheck> Checks() override {
    std::vector<runtime::HealthCheck> checks = service_->Checks();
    checks.push_back(KvWriteCheck(kv_.get()));
    return checks;
  }

  void ShowReadiness(runtime::Readiness readiness) override {
    server_->ShowReadiness(/*pulls=*/readiness >= runtime::Readiness::kPulls,
                           /*pushes=*/readiness == runtime::Readiness::kAll);
  }

  void AnnounceDrain() override { server_->ShowReadiness(/*pulls=*/false, /*pushes=*/false); }

  std::vector<std::pair<std::string, std::string>> Addresses() const override { return {{"grpc", server_->address()}}; }

  void Drain(Deadline deadline) override {
    service_->BeginDrain();
    server_->Shutdown(deadline);
  }

 private:
  // In the order in which each depends on those before.
  const SystemClock clock_;
  std::unique_ptr<kv::KvStack> kv_;
  std::unique_ptr<runtime::Executor> executor_;
  std::shared_ptr<ExecutorMetrics> executor_metrics_;
  std::unique_ptr<HostedService> service_;
  std::unique_ptr<runtime::GrpcServer> server_;
};

}  // namespace

void FillAndCheckGrpc(config::v1::Endpoint* endpoint, runtime::ConfigProblems* problems) {
  constexpr char kField[] = "grpc";
  runtime::FillGrpcDefaults(endpoint);
  runtime::CheckGrpcEndpoint(kField, *endpoint, problems);
  runtime::FitToDescriptors(kField, kv::KvStack::OpenFilesMax(), runtime::DescriptorLimit(), endpoint, problems);
}

absl::StatusOr<std::unique_ptr<runtime::RunningService>> StartGrpcProcess(const GrpcProcessOptions& options,
                                                                          const runtime::ServiceContext& context,
                                                                          const MakeHostedService& make) {
  auto process = std::make_unique<GrpcProcess>();
  RETURN_IF_ERROR(process->Open(options, context, make));
  return process;
}

}  // namespace entrepot::process
