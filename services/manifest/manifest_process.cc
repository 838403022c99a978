#include "services/manifest/manifest_process.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/blob_storage.h"
#include "services/manifest/caller_check.h"
#include "services/manifest/catalog/deletion_queue.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/grpc_blob_storage.h"
#include "services/manifest/maintenance/maintenance.h"
#include "services/manifest/manifest_service.h"
#include "services/policy/policy_file.h"
#include "services/process/grpc_process.h"
#include "services/process/process_kv.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/grpc/service_replicas.h"
#include "services/runtime/log/audit_log.h"
#include "services/runtime/threads/bounded_executor.h"
#include "services/runtime/threads/executor.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using config::v1::ManifestServiceConfig;

// Synced commits that wait at once share one sync of the log: more threads make larger groups, not more load.
constexpr size_t kExecutorThreads = 32;

class ManifestHost final : public process::HostedService {
 public:
  static absl::StatusOr<std::unique_ptr<process::HostedService>> Open(const ManifestServiceConfig& config,
                                                                      const process::ProcessResources& resources) {
    auto host = std::make_unique<ManifestHost>();
    RETURN_IF_ERROR(host->OpenCatalog(config, resources));
    RETURN_IF_ERROR(host->StartMaintenance(config, resources));
    const bool needs_accounts = host->policy_ != nullptr && host->policy_->current()->NeedsAccounts();
    ASSIGN_OR_RETURN(host->callers_, CallerCheck::Open(resources.kv->engine(), resources.executor,
                                                       {.policy_needs_accounts = needs_accounts,
                                                        .allow_unauthenticated = config.allow_unauthenticated(),
                                                        .shared = resources.kv->shared()}));
    host->service_ =
        std::make_unique<ManifestService>(host->catalog_.get(), host->maintenance_.get(), resources.executor,
                                          host->deletions_.get(), host->callers_.get());
    return host;
  }

  grpc::Service* grpc_service() override { return service_.get(); }
  std::vector<runtime::HealthCheck> Checks() override {
    return {{.name = "catalog",
             .without = runtime::Readiness::kNone,
             .check = [this] { return catalog_->lists().Repositories(1, "", {"**"}).status(); }},
            {.name = "blob service", .without = runtime::Readiness::kPulls, .check = [this] {
               return blob_service_->CheckReady();
             }}};
  }
  void BeginDrain() override {
    catalog_->repositories().Stop();
    maintenance_->BeginDrain();
  }

 private:
  absl::Status OpenCatalog(const ManifestServiceConfig& config, const process::ProcessResources& resources) {
    const std::shared_ptr<prometheus::Registry>& registry = resources.context.registry;
    pulls_ = PullTimes::Create(resources.kv->engine(), resources.clock, registry);
    RegistryCatalog::Options options;
    options.shared = resources.kv->shared();
    options.lease = runtime::ToDuration(config.collector().lease());
    options.registry = registry;
    options.pulls = pulls_.get();
    blob_service_ = runtime::ServiceReplicas::Connect(config.blob_service(), registry);
    objects_ = MakeGrpcBlobStorage(blob_service_, runtime::ToDuration(config.blob_service().deadline()));
    options.objects = objects_.get();
    if (!config.policy_file().empty()) {
      ASSIGN_OR_RETURN(policy_, policy::PolicyFile::Open(config.policy_file(), registry));
      options.policy = [this] { return policy_->current(); };
    }
    deletions_ = MakeDeletionQueue(config.collector().repository_deletions_max(), registry);
    options.finish_deletion =
        FinishOn(deletions_.get(), [this]() -> RepositoryRemover& { return catalog_->repositories(); });
    ASSIGN_OR_RETURN(catalog_, RegistryCatalog::Create(resources.kv->engine(), resources.clock, options));
    return absl::OkStatus();
  }

  absl::Status StartMaintenance(const ManifestServiceConfig& config, const process::ProcessResources& resources) {
    const std::shared_ptr<prometheus::Registry>& registry = resources.context.registry;
    ASSIGN_OR_RETURN(audit_, runtime::AuditLog::Open(config.audit_file(), registry));
    Maintenance::Options options;
    options.shared = resources.kv->shared();
    options.collector = config.collector();
    options.backup_directory = absl::StrCat(config.data_directory(), "/backups");
    options.registry = registry;
    Maintenance::Parts parts;
    parts.kv = resources.kv->engine();
    parts.clock = resources.clock;
    parts.catalog = catalog_.get();
    parts.objects = objects_.get();
    parts.pulls = pulls_.get();
    parts.audit = audit_.get();
    parts.snapshot_kv = [kv = resources.kv](const std::string& directory) { return kv->Snapshot(directory); };
    ASSIGN_OR_RETURN(maintenance_, Maintenance::Start(options, parts));
    return absl::OkStatus();
  }

  // In the order in which each depends on those before.
  std::unique_ptr<policy::PolicyFile> policy_;  // Null if the configuration names no policy file.
  std::shared_ptr<runtime::ServiceReplicas> blob_service_;
  std::unique_ptr<BlobStorage> objects_;
  std::unique_ptr<PullTimes> pulls_;
  std::unique_ptr<RegistryCatalog> catalog_;
  std::unique_ptr<runtime::BoundedExecutor> deletions_;
  std::unique_ptr<runtime::AuditLog> audit_;
  std::unique_ptr<Maintenance> maintenance_;
  std::unique_ptr<CallerCheck> callers_;
  std::unique_ptr<ManifestService> service_;
};

absl::StatusOr<std::unique_ptr<runtime::RunningService>> Start(const ManifestServiceConfig& config,
                                                               const runtime::ServiceContext& context) {
  return process::StartGrpcProcess(
      {.data_directory = config.data_directory(),
       .records = config.records(),
       .endpoint = config.grpc(),
       .executor_threads = kExecutorThreads},
      context, [&](const process::ProcessResources& resources) { return ManifestHost::Open(config, resources); });
}

void FillAndCheck(ManifestServiceConfig* config, runtime::ConfigProblems* problems) {
  process::FillAndCheckGrpc(config->mutable_grpc(), problems);
  process::FillAndCheckRecords(config->mutable_records(), problems);
  runtime::FillDefaults(config->mutable_blob_service());
  runtime::FillDefaults(config->mutable_collector());
  runtime::CheckDataDirectory("data_directory", config->data_directory(), problems);
  runtime::CheckService("blob_service", config->blob_service(), problems);
  CheckCollectorConfig("collector", config->collector(), problems);
  if (config->allow_unauthenticated()) {
    problems->Warn("allow_unauthenticated", "a gateway without auth_service is served, whatever the policy allows");
  }
  if (!config->policy_file().empty()) {
    problems->AddLines("policy_file", policy::CheckPolicyFile(config->policy_file()));
  }
}

}  // namespace

runtime::ServiceDefinition<ManifestServiceConfig> ManifestProcess() {
  runtime::ServiceDefinition<ManifestServiceConfig> definition;
  definition.name = "entrepot-manifest";
  definition.fill_and_check = FillAndCheck;
  definition.start = Start;
  return definition;
}

}  // namespace entrepot::manifest
