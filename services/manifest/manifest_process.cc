#include "services/manifest/manifest_process.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/system_clock.h"
#include "services/kv/kv_factory.h"
#include "services/manifest/manifest_service.h"
#include "services/manifest/registry_catalog.h"
#include "services/policy/policy_file.h"
#include "services/runtime/config_checks.h"
#include "services/runtime/config_defaults.h"
#include "services/runtime/executor.h"
#include "services/runtime/grpc_server.h"
#include "services/runtime/json_log.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using config::v1::ManifestServiceConfig;

// Synced commits that wait at once share one sync of the log: more threads make larger groups, not more load.
constexpr size_t kExecutorThreads = 32;

class RunningManifestService : public runtime::RunningService {
 public:
  static absl::StatusOr<std::unique_ptr<runtime::RunningService>> Start(const ManifestServiceConfig& config,
                                                                        const runtime::ServiceContext& context) {
    auto service = std::make_unique<RunningManifestService>();
    RETURN_IF_ERROR(service->Open(config, context));
    return service;
  }

  absl::Status CheckReady() override { return kv_->Health(); }
  std::vector<std::pair<std::string, std::string>> Addresses() const override { return {{"grpc", server_->address()}}; }
  void Drain(absl::Time deadline) override { server_->Shutdown(deadline); }

 private:
  absl::Status Open(const ManifestServiceConfig& config, const runtime::ServiceContext& context) {
    ASSIGN_OR_RETURN(kv_, kv::KvStack::Open(absl::StrCat(config.data_directory(), "/kv"), context.registry,
                                            runtime::LineLogger("rocksdb")));
    context.add_collectable(kv_->engine_metrics());
    RegistryCatalog::Options options;
    options.registry = context.registry;
    if (!config.policy_file().empty()) {
      ASSIGN_OR_RETURN(policy_, policy::PolicyFile::Open(config.policy_file(), context.registry));
      options.policy = [this] { return policy_->current(); };
    }
    ASSIGN_OR_RETURN(catalog_, RegistryCatalog::Create(kv_->engine(), &clock_, options));
    executor_ = std::make_unique<runtime::Executor>(kExecutorThreads);
    service_ = std::make_unique<ManifestService>(catalog_.get(), nullptr, executor_.get());
    ASSIGN_OR_RETURN(server_, runtime::GrpcServer::Start(config.grpc(), {service_.get()}, context.registry));
    return absl::OkStatus();
  }

  // In the order in which each depends on those before.
  SystemClock clock_;
  std::unique_ptr<kv::KvStack> kv_;
  // null where there are no rules.
  std::unique_ptr<policy::PolicyFile> policy_;
  std::unique_ptr<RegistryCatalog> catalog_;
  std::unique_ptr<runtime::Executor> executor_;
  std::unique_ptr<ManifestService> service_;
  std::unique_ptr<runtime::GrpcServer> server_;
};

void FillAndCheck(ManifestServiceConfig* config, runtime::ConfigProblems* problems) {
  runtime::FillDefaults(/*default_port=*/0, config->mutable_grpc());
  runtime::CheckGrpcEndpoint("grpc", config->grpc(), problems);
  runtime::CheckDataDirectory("data_directory", config->data_directory(), problems);
  if (!config->policy_file().empty()) {
    problems->AddLines("policy_file", policy::CheckPolicyFile(config->policy_file()));
  }
}

}  // namespace

runtime::ServiceDefinition<ManifestServiceConfig> ManifestProcess() {
  runtime::ServiceDefinition<ManifestServiceConfig> definition;
  definition.name = "entrepot-manifest";
  definition.fill_and_check = FillAndCheck;
  definition.start = RunningManifestService::Start;
  return definition;
}

}  // namespace entrepot::manifest
