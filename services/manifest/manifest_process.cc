#include "services/manifest/manifest_process.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/object_access.h"
#include "services/core/time/system_clock.h"
#include "services/kv/stack/kv_stack.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/grpc_object_access.h"
#include "services/manifest/maintenance/collector_config.h"
#include "services/manifest/maintenance/maintenance.h"
#include "services/manifest/manifest_service.h"
#include "services/policy/policy_file.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/grpc/grpc_channel.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/runtime/log/audit_log.h"
#include "services/runtime/log/json_log.h"
#include "services/runtime/threads/executor.h"
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
                                            runtime::LogLibraryLine));
    context.add_collectable(kv_->engine_metrics());
    pulls_ = PullTimes::Create(kv_->engine(), &clock_, context.registry);
    RegistryCatalog::Options options;
    options.lease = runtime::ToDuration(config.collector().lease());
    options.registry = context.registry;
    options.pulls = pulls_.get();
    objects_ = MakeGrpcObjectAccess(runtime::MakeChannel(config.blob_service(), context.registry),
                                    runtime::ToDuration(config.blob_service().deadline()));
    options.objects = objects_.get();
    if (!config.policy_file().empty()) {
      ASSIGN_OR_RETURN(policy_, policy::PolicyFile::Open(config.policy_file(), context.registry));
      options.policy = [this] { return policy_->current(); };
    }
    ASSIGN_OR_RETURN(catalog_, RegistryCatalog::Create(kv_->engine(), &clock_, options));
    RETURN_IF_ERROR(StartUpkeep(config, context));
    executor_ = std::make_unique<runtime::Executor>(kExecutorThreads);
    service_ = std::make_unique<ManifestService>(catalog_.get(), upkeep_.get(), executor_.get());
    ASSIGN_OR_RETURN(server_, runtime::GrpcServer::Start(config.grpc(), {service_.get()}, context.registry));
    return absl::OkStatus();
  }

  absl::Status StartUpkeep(const ManifestServiceConfig& config, const runtime::ServiceContext& context) {
    ASSIGN_OR_RETURN(audit_, runtime::AuditLog::Open(config.audit_file(), context.registry));
    Upkeep::Options options;
    options.collector = config.collector();
    options.backup_directory = absl::StrCat(config.data_directory(), "/backups");
    options.registry = context.registry;
    Upkeep::Parts parts;
    parts.kv = kv_->engine();
    parts.clock = &clock_;
    parts.catalog = catalog_.get();
    parts.objects = objects_.get();
    parts.pulls = pulls_.get();
    parts.audit = audit_.get();
    parts.snapshot_kv = [this](const std::string& directory) { return kv_->Snapshot(directory); };
    ASSIGN_OR_RETURN(upkeep_, Upkeep::Start(options, parts));
    return absl::OkStatus();
  }

  // In the order in which each depends on those before.
  SystemClock clock_;
  std::unique_ptr<kv::KvStack> kv_;
  // null where there are no rules.
  std::unique_ptr<policy::PolicyFile> policy_;
  std::unique_ptr<ObjectAccess> objects_;
  std::unique_ptr<PullTimes> pulls_;
  std::unique_ptr<RegistryCatalog> catalog_;
  std::unique_ptr<runtime::AuditLog> audit_;
  std::unique_ptr<Upkeep> upkeep_;
  std::unique_ptr<runtime::Executor> executor_;
  std::unique_ptr<ManifestService> service_;
  std::unique_ptr<runtime::GrpcServer> server_;
};

void FillAndCheck(ManifestServiceConfig* config, runtime::ConfigProblems* problems) {
  runtime::FillDefaults(/*default_port=*/0, config->mutable_grpc());
  runtime::CheckGrpcEndpoint("grpc", config->grpc(), problems);
  runtime::FillDefaults(config->mutable_blob_service());
  runtime::FillDefaults(config->mutable_collector());
  runtime::CheckDataDirectory("data_directory", config->data_directory(), problems);
  runtime::CheckService("blob_service", config->blob_service(), problems);
  CheckCollectorConfig("collector", config->collector(), problems);
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
