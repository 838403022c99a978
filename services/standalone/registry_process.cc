#include "services/standalone/registry_process.h"

#include <sys/resource.h>

#include <cstddef>
#include <latch>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gateway/api/registry_api.h"
#include "gateway/backends/local/local_auth_backend.h"
#include "gateway/backends/local/local_blob_backend.h"
#include "gateway/backends/local/local_manifest_backend.h"
#include "gateway/backends/local/local_upstream_backend.h"
#include "gateway/http/server/server.h"
#include "services/auth/authentication_files.h"
#include "services/auth/authority.h"
#include "services/blob/blob_stack.h"
#include "services/core/time/clock.h"
#include "services/kv/stack/kv_stack.h"
#include "services/manifest/catalog/deletion_queue.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/maintenance/maintenance.h"
#include "services/policy/policy_file.h"
#include "services/process/executor_metrics.h"
#include "services/process/process_kv.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/config/descriptor_checks.h"
#include "services/runtime/log/audit_log.h"
#include "services/runtime/log/json_log.h"
#include "services/runtime/threads/bounded_executor.h"
#include "services/runtime/threads/executor.h"
#include "services/standalone/local_cache_store.h"
#include "services/status/status_macros.h"
#include "services/upstream/client/http_upstream_registry.h"
#include "services/upstream/management/upstream_management.h"
#include "services/upstream/names/upstreams_file.h"
#include "services/upstream/room/room_keeper.h"
#include "services/upstream/store/cache_store.h"
#include "services/upstream/upstream_cache.h"

namespace entrepot::standalone {
namespace {

// Commits that wait at the same time share one sync of the log: more threads make larger groups, not more syncs.
constexpr size_t kExecutorThreads = 32;
// For the calls that wait for an S3 server, which takes longer.
constexpr size_t kS3Threads = 64;
// For whole files that are hashed: uploads that were staged before a restart, and blobs whose files are not known to be
// good. Each client has one read at a time, and the disk reads ahead.
constexpr size_t kLongCallThreads = 8;
// Added to the nice value of these threads, so that hashing does not take the processors from short requests.
constexpr int kLongCallNice = 10;
// In addition to the threads that hash a password or wait for a slot.
constexpr size_t kAuthExecutorThreads = 8;
// Most of the time these threads wait for an upstream.
constexpr size_t kUpstreamExecutorThreads = 64;

// Lowers the priority of all threads of an executor that has no jobs yet.
void LowerPriority(runtime::Executor& executor) {
  const auto all = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(executor.threads()));
  for (size_t i = 0; i < executor.threads(); ++i) {
    executor.Post([all] {
      // Linux gives each thread a nice value of its own.
      ::setpriority(PRIO_PROCESS, 0, kLongCallNice);
      // No thread takes two of these jobs.
      all->arrive_and_wait();
    });
  }
}

// Each member depends only on members above it. Drain() first stops the server's requests, then ends the executors. The
// server's object is destroyed later, because jobs of an executor resume its coroutines.
class RegistryProcess final : public runtime::RunningService {
 public:
  static absl::StatusOr<std::unique_ptr<RegistryProcess>> Start(const config::v1::StandaloneConfig& config,
                                                                const runtime::ServiceContext& context) {
    std::unique_ptr<RegistryProcess> process(new RegistryProcess());
    RETURN_IF_ERROR(process->OpenStores(config, context));
    RETURN_IF_ERROR(process->Serve(config, context));
    return process;
  }

  ~RegistryProcess() override {
    if (executor_ != nullptr) Drain(Deadline::Passed());
    server_.reset();
  }

  std::vector<runtime::HealthCheck> Checks() override {
    std::vector<runtime::HealthCheck> checks = blobs_->Checks();
    checks.push_back({.name = "catalog", .without = runtime::Readiness::kNone, .check = [this] {
                        return catalog_->lists().Repositories(1, "", {"**"}).status();
                      }});
    checks.push_back(process::KvWriteCheck(kv_.get()));
    if (authority_ != nullptr) {
      checks.push_back({.name = "accounts", .without = runtime::Readiness::kNone, .check = [this] {
                          return authority_->GetVerification().status();
                        }});
    }
    return checks;
  }

  std::vector<std::pair<std::string, std::string>> Addresses() const override {
    return {{"listen", server_->Address()}};
  }

  void AnnounceDrain() override { server_->CloseAfterResponses(); }

  void Drain(Deadline deadline) override {
    catalog_->repositories().Stop();
    maintenance_->BeginDrain();
    if (cache_store_ != nullptr) cache_store_->Stop();
    if (upstream_management_ != nullptr) upstream_management_->Stop();
    if (server_ != nullptr) server_->Drain(deadline);
    // Before the executors: it ends the calls that wait for upstreams, and resumes the requests that wait for fetches.
    if (cache_ != nullptr) cache_->Stop();
    executor_metrics_.reset();
    auth_executor_.reset();
    upstream_executor_.reset();
    executor_.reset();
    s3_calls_.reset();
    long_calls_.reset();
    deletions_.reset();
    // Calls of the executors use it.
    room_.reset();
  }

 private:
  RegistryProcess() = default;

  absl::Status OpenStores(const config::v1::StandaloneConfig& config, const runtime::ServiceContext& context) {
    ASSIGN_OR_RETURN(kv_, process::OpenProcessKv(config.records(), config.data_directory(), context));
    if (!config.has_authentication()) RETURN_IF_ERROR(CheckNoAccounts(config));

    blob::BlobStackOptions blob_options;
    blob_options.directory = absl::StrCat(config.data_directory(), "/blobs");
    blob_options.objects = config.objects();
    blob_options.uploads = config.uploads();
    // Buffered is enough: the catalog commits the blob's record to the same KV later, with a sync that covers both.
    blob_options.object_durability = kv::Durability::kBuffered;
    ASSIGN_OR_RETURN(blobs_, blob::BlobStack::Open(blob_options, {kv_->engine(), &clock_, context.registry}));
    ASSIGN_OR_RETURN(audit_, runtime::AuditLog::Open(config.authentication().audit_file(), context.registry));
    if (config.has_authentication()) {
      ASSIGN_OR_RETURN(authority_,
                       auth::Authority::Open(config.authentication(), {kv_->engine(), &clock_, context.registry}));
    } else if (!config.policy_file().empty()) {
      ASSIGN_OR_RETURN(policy_, policy::PolicyFile::Open(config.policy_file(), context.registry, absl::Seconds(1),
                                                         policy::Accounts::kNone));
    }
    RETURN_IF_ERROR(OpenCatalog(config, context));
    if (!config.upstreams_file().empty()) RETURN_IF_ERROR(OpenCache(config, context));
    return absl::OkStatus();
  }

  absl::Status OpenCache(const config::v1::StandaloneConfig& config, const runtime::ServiceContext& context) {
    ASSIGN_OR_RETURN(upstreams_file_, upstream::UpstreamsFile::Open(config.upstreams_file(), context.registry));
    cache_store_ = MakeLocalCacheStore(&blobs_->upload_sessions(), catalog_.get(), maintenance_.get());
    upstream::UpstreamCache::Options options;
    options.shared = kv_->shared();
    options.spool_directory = absl::StrCat(config.data_directory(), "/spool");
    options.registry = context.registry;
    options.make_registry =
        [this, registry = context.registry](
            const config::v1::Upstream& entry) -> absl::StatusOr<std::shared_ptr<upstream::UpstreamRegistry>> {
      return upstream::MakeUpstreamRegistry(entry, &clock_, registry);
    };
    ASSIGN_OR_RETURN(cache_, upstream::UpstreamCache::Create(upstreams_file_.get(), cache_store_.get(), kv_->engine(),
                                                             &clock_, options));
    upstream::RoomKeeper::Parts room;
    room.upstreams = upstreams_file_.get();
    room.store = cache_store_.get();
    room.clock = &clock_;
    room.bytes_fetched = [this](absl::string_view name) { return cache_->BytesFetched(name); };
    room.registry = context.registry;
    room_ = std::make_unique<upstream::RoomKeeper>(std::move(room), upstream::RoomKeeper::Options());
    upstream::UpstreamManagement::Parts management;
    management.upstreams = upstreams_file_.get();
    management.images = cache_.get();
    management.store = cache_store_.get();
    management.clock = &clock_;
    management.audit = audit_.get();
    management.registry = context.registry;
    management.room = [this](absl::string_view name) { return room_->Measured(name); };
    upstream_management_ = upstream::UpstreamManagement::Create(std::move(management));
    return absl::OkStatus();
  }

  // Data that was served with accounts must not be open by mistake.
  absl::Status CheckNoAccounts(const config::v1::StandaloneConfig& config) {
    ASSIGN_OR_RETURN(const bool has_accounts, auth::Authority::WasOpened(*kv_->engine()));
    if (!has_accounts) return absl::OkStatus();
    if (!config.listen().allow_unauthenticated()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the registry in ", config.data_directory(),
                       " has accounts, and the configuration has no authentication: every client could read and change "
                       "everything. Configure authentication as before (examples/auth.yaml; scripts/serve --accounts "
                       "FILE --policy FILE), or set listen.allow_unauthenticated: true (scripts/serve "
                       "--allow-unauthenticated)"));
    }
    runtime::Log(runtime::LogLevel::kWarning, "serving without authentication a registry that has accounts",
                 {{"data_directory", config.data_directory()}});
    return absl::OkStatus();
  }

  absl::Status OpenCatalog(const config::v1::StandaloneConfig& config, const runtime::ServiceContext& context) {
    pulls_ = manifest::PullTimes::Create(kv_->engine(), &clock_, context.registry);
    manifest::RegistryCatalog::Options options;
    options.shared = kv_->shared();
    options.lease = runtime::ToDuration(config.collector().lease());
    options.registry = context.registry;
    if (authority_ != nullptr) options.policy = [this] { return authority_->policy(); };
    if (policy_ != nullptr) options.policy = [this] { return policy_->current(); };
    options.objects = &blobs_->storage();
    options.pulls = pulls_.get();
    deletions_ = manifest::MakeDeletionQueue(config.collector().repository_deletions_max(), context.registry);
    options.finish_deletion = manifest::FinishOn(
        deletions_.get(), [this]() -> manifest::RepositoryRemover& { return catalog_->repositories(); });
    ASSIGN_OR_RETURN(catalog_, manifest::RegistryCatalog::Create(kv_->engine(), &clock_, options));

    manifest::Maintenance::Options maintenance_options;
    maintenance_options.shared = kv_->shared();
    maintenance_options.collector = config.collector();
    maintenance_options.backup_directory = absl::StrCat(config.data_directory(), "/backups");
    maintenance_options.registry = context.registry;
    manifest::Maintenance::Parts parts;
    parts.kv = kv_->engine();
    parts.clock = &clock_;
    parts.catalog = catalog_.get();
    parts.objects = &blobs_->storage();
    parts.pulls = pulls_.get();
    parts.audit = audit_.get();
    parts.snapshot_kv = [this](const std::string& directory) { return kv_->Snapshot(directory); };
    ASSIGN_OR_RETURN(maintenance_, manifest::Maintenance::Start(maintenance_options, parts));
    return absl::OkStatus();
  }

  absl::Status Serve(const config::v1::StandaloneConfig& config, const runtime::ServiceContext& context) {
    executor_ = std::make_unique<runtime::Executor>(kExecutorThreads);
    if (config.objects().has_s3()) s3_calls_ = std::make_unique<runtime::Executor>(kS3Threads);
    long_calls_ = std::make_unique<runtime::Executor>(kLongCallThreads);
    LowerPriority(*long_calls_);
    executor_metrics_ = std::make_shared<process::ExecutorMetrics>();
    executor_metrics_->Add("requests", executor_.get());
    if (s3_calls_ != nullptr) executor_metrics_->Add("large_objects", s3_calls_.get());
    context.add_collectable(executor_metrics_);
    blob_backend_ = gateway::MakeLocalBlobBackend(
        blobs_.get(), {.requests = executor_.get(),
                       .large_objects = s3_calls_ != nullptr ? s3_calls_.get() : executor_.get(),
                       .long_calls = long_calls_.get()});
    manifest_backend_ =
        gateway::MakeLocalManifestBackend(catalog_.get(), maintenance_.get(), executor_.get(), deletions_.get());
    gateway::api::RegistryAccounts accounts;
    if (authority_ != nullptr) {
      auth_executor_ = std::make_unique<runtime::Executor>(kAuthExecutorThreads +
                                                           auth::Authority::HashingThreadsMax(config.authentication()));
      auth_backend_ = gateway::MakeLocalAuthBackend(authority_.get(), auth_executor_.get());
      accounts.auth = auth_backend_.get();
      accounts.audit = audit_.get();
    }
    gateway::api::RegistryUpstreams upstreams;
    if (cache_ != nullptr) {
      upstream_executor_ = std::make_unique<runtime::Executor>(kUpstreamExecutorThreads);
      upstream_backend_ = gateway::MakeLocalUpstreamBackend(cache_.get(), upstream_management_.get(),
                                                            upstream_executor_.get(), executor_.get());
      upstreams.backend = upstream_backend_.get();
      upstreams.current = [file = upstreams_file_.get()] { return file->current(); };
    }
    api_ = gateway::api::MakeRegistryApi(blob_backend_.get(), manifest_backend_.get(), config.listen(), config.limits(),
                                         context.registry, accounts, upstreams);
    gateway::http::Server::Options options;
    options.endpoint = config.listen();
    options.limits = config.limits();
    ASSIGN_OR_RETURN(server_, gateway::http::Server::Start(options, api_.get(), context.registry));
    return absl::OkStatus();
  }

  SystemClock clock_;
  std::unique_ptr<kv::KvStack> kv_;
  std::unique_ptr<blob::BlobStack> blobs_;
  std::unique_ptr<runtime::AuditLog> audit_;
  // Null without accounts. Its policy is the one of the registry.
  std::unique_ptr<auth::Authority> authority_;
  std::unique_ptr<policy::PolicyFile> policy_;  // Null with accounts, and without a policy.
  std::unique_ptr<manifest::PullTimes> pulls_;
  std::unique_ptr<manifest::RegistryCatalog> catalog_;
  std::unique_ptr<manifest::Maintenance> maintenance_;
  // These five are null without upstreams.
  std::unique_ptr<upstream::UpstreamsFile> upstreams_file_;
  std::unique_ptr<upstream::CacheStore> cache_store_;
  std::unique_ptr<upstream::UpstreamCache> cache_;
  std::unique_ptr<upstream::RoomKeeper> room_;
  std::unique_ptr<upstream::UpstreamManagement> upstream_management_;
  std::unique_ptr<gateway::BlobBackend> blob_backend_;
  std::unique_ptr<gateway::ManifestBackend> manifest_backend_;
  std::unique_ptr<gateway::AuthBackend> auth_backend_;          // Null without accounts.
  std::unique_ptr<gateway::UpstreamBackend> upstream_backend_;  // Null without upstreams.
  std::unique_ptr<gateway::http::Handler> api_;
  std::unique_ptr<gateway::http::Server> server_;
  std::unique_ptr<runtime::BoundedExecutor> deletions_;
  std::unique_ptr<runtime::Executor> executor_;
  std::unique_ptr<runtime::Executor> s3_calls_;  // Null without S3.
  std::unique_ptr<runtime::Executor> long_calls_;
  std::unique_ptr<runtime::Executor> auth_executor_;
  std::unique_ptr<runtime::Executor> upstream_executor_;
  std::shared_ptr<process::ExecutorMetrics> executor_metrics_;
};

}  // namespace

void FillAndCheck(config::v1::StandaloneConfig* config, runtime::ConfigProblems* problems) {
  runtime::FillDefaults(config->mutable_listen());
  runtime::FillDefaults(config->mutable_limits());
  runtime::FillDefaults(config->mutable_uploads());
  runtime::FillDefaults(config->mutable_collector());
  const bool authenticated = config->has_authentication();
  if (authenticated) runtime::FillDefaults(config->mutable_authentication());
  runtime::CheckPublicEndpoint("listen", config->listen(),
                               authenticated ? runtime::Access::kAuthenticated : runtime::Access::kOpen, problems);
  runtime::CheckLimits("limits", config->limits(), problems);
  runtime::FitToDescriptors("limits", kv::KvStack::OpenFilesMax(), runtime::DescriptorLimit(), config->mutable_limits(),
                            problems);
  runtime::CheckUploads("uploads", config->uploads(), problems);
  if (config->has_objects()) {
    runtime::FillDefaults(config->mutable_objects());
    runtime::CheckObjectStorage("objects", config->objects(), problems);
  }
  manifest::CheckCollectorConfig("collector", config->collector(), problems);
  process::FillAndCheckRecords(config->mutable_records(), problems);
  runtime::CheckDataDirectory("data_directory", config->data_directory(), problems);
  if (authenticated) {
    runtime::CheckAuthentication("authentication", config->authentication(), problems);
    auth::CheckAuthenticationFiles("authentication", config->authentication(), problems);
    if (!config->policy_file().empty()) {
      problems->Add("policy_file", "is for a registry without accounts; use authentication.policy_file");
    }
  } else if (!config->policy_file().empty()) {
    problems->AddLines("policy_file", policy::CheckPolicyFile(config->policy_file(), policy::Accounts::kNone));
  }
  if (!config->upstreams_file().empty()) {
    problems->AddLines("upstreams_file", upstream::CheckUpstreamsFile(config->upstreams_file()));
  }
}

absl::StatusOr<std::unique_ptr<runtime::RunningService>> StartRegistry(const config::v1::StandaloneConfig& config,
                                                                       const runtime::ServiceContext& context) {
  return RegistryProcess::Start(config, context);
}

}  // namespace entrepot::standalone
