#include "services/upstream/upstream_process.h"

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/core/time/stop_signal.h"
#include "services/process/grpc_process.h"
#include "services/process/process_kv.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/grpc/service_replicas.h"
#include "services/runtime/log/audit_log.h"
#include "services/runtime/threads/executor.h"
#include "services/status/status_macros.h"
#include "services/upstream/client/http_upstream_registry.h"
#include "services/upstream/grpc_cache_store.h"
#include "services/upstream/management/upstream_management.h"
#include "services/upstream/names/upstreams_file.h"
#include "services/upstream/room/room_keeper.h"
#include "services/upstream/store/cache_store.h"
#include "services/upstream/upstream_cache.h"
#include "services/upstream/upstream_service.h"

namespace entrepot::upstream {
namespace {

using config::v1::UpstreamServiceConfig;

// Most of the time the threads wait for an upstream.
constexpr size_t kExecutorThreads = 64;
// These read the spool, which is in the page cache, and open blobs.
constexpr size_t kReadThreads = 8;

// Ends all fetches some time after a drain began, so that those that are almost done end by themselves.
class DelayedStop {
 public:
  DelayedStop(UpstreamCache* cache, absl::Duration delay) : cache_(*cache), delay_(delay) {}
  ~DelayedStop() {
    ended_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  void Begin() {
    thread_ = std::thread([this] {
      if (!ended_.WaitFor(delay_)) cache_.Stop();
    });
  }

 private:
  UpstreamCache& cache_;
  const absl::Duration delay_;
  StopSignal ended_;
  std::thread thread_;
};

class UpstreamHost final : public process::HostedService {
 public:
  static absl::StatusOr<std::unique_ptr<process::HostedService>> Open(const UpstreamServiceConfig& config,
                                                                      const process::ProcessResources& resources) {
    auto host = std::make_unique<UpstreamHost>();
    const std::shared_ptr<prometheus::Registry>& registry = resources.context.registry;
    ASSIGN_OR_RETURN(host->file_, UpstreamsFile::Open(config.upstreams_file(), registry));
    host->blob_service_ = runtime::ServiceReplicas::Connect(config.blob_service(), registry);
    host->manifest_service_ = runtime::ServiceReplicas::Connect(config.manifest_service(), registry);
    const absl::Duration deadline = std::max(runtime::ToDuration(config.blob_service().deadline()),
                                             runtime::ToDuration(config.manifest_service().deadline()));
    host->store_ = MakeGrpcCacheStore(host->blob_service_, host->manifest_service_, deadline);
    UpstreamCache::Options options;
    options.spool_directory = absl::StrCat(config.data_directory(), "/spool");
    options.registry = registry;
    options.shared = resources.kv->shared();
    options.make_registry = [clock = resources.clock, registry](const config::v1::Upstream& entry)
        -> absl::StatusOr<std::shared_ptr<UpstreamRegistry>> { return MakeUpstreamRegistry(entry, clock, registry); };
    ASSIGN_OR_RETURN(host->cache_, UpstreamCache::Create(host->file_.get(), host->store_.get(), resources.kv->engine(),
                                                         resources.clock, options));
    RoomKeeper::Parts room;
    room.upstreams = host->file_.get();
    room.store = host->store_.get();
    room.clock = resources.clock;
    room.bytes_fetched = [cache = host->cache_.get()](absl::string_view upstream) {
      return cache->BytesFetched(upstream);
    };
    room.registry = registry;
    host->room_ = std::make_unique<RoomKeeper>(std::move(room), RoomKeeper::Options());
    ASSIGN_OR_RETURN(host->audit_, runtime::AuditLog::Open(config.audit_file(), registry));
    UpstreamManagement::Parts management;
    management.upstreams = host->file_.get();
    management.images = host->cache_.get();
    management.store = host->store_.get();
    management.clock = resources.clock;
    management.audit = host->audit_.get();
    management.registry = registry;
    management.room = [keeper = host->room_.get()](absl::string_view upstream) { return keeper->Measured(upstream); };
    host->management_ = UpstreamManagement::Create(std::move(management));
    host->stop_ =
        std::make_unique<DelayedStop>(host->cache_.get(), runtime::ToDuration(config.drain_timeout()) * 2 / 3);
    host->reads_ = std::make_unique<runtime::Executor>(kReadThreads);
    host->service_ = std::make_unique<UpstreamService>(host->cache_.get(), host->management_.get(), resources.executor,
                                                       host->reads_.get());
    return host;
  }

  // So that nothing below waits for room, or for an upstream.
  ~UpstreamHost() override {
    if (store_ != nullptr) store_->Stop();
    if (cache_ != nullptr) cache_->Stop();
  }

  grpc::Service* grpc_service() override { return service_.get(); }
  std::vector<runtime::HealthCheck> Checks() override {
    return {{.name = "manifest service",
             .without = runtime::Readiness::kNone,
             .check = [this] { return manifest_service_->CheckReady(); }},
            {.name = "blob service", .without = runtime::Readiness::kNone, .check = [this] {
               return blob_service_->CheckReady();
             }}};
  }
  void BeginDrain() override {
    management_->Stop();
    stop_->Begin();
  }

 private:
  // In the order in which each depends on those before.
  std::unique_ptr<UpstreamsFile> file_;
  std::shared_ptr<runtime::ServiceReplicas> blob_service_;
  std::shared_ptr<runtime::ServiceReplicas> manifest_service_;
  std::unique_ptr<CacheStore> store_;
  std::unique_ptr<UpstreamCache> cache_;
  std::unique_ptr<RoomKeeper> room_;
  std::unique_ptr<runtime::AuditLog> audit_;
  std::unique_ptr<UpstreamManagement> management_;
  std::unique_ptr<DelayedStop> stop_;
  std::unique_ptr<runtime::Executor> reads_;
  std::unique_ptr<UpstreamService> service_;
};

absl::StatusOr<std::unique_ptr<runtime::RunningService>> Start(const UpstreamServiceConfig& config,
                                                               const runtime::ServiceContext& context) {
  return process::StartGrpcProcess(
      {.data_directory = config.data_directory(),
       .records = config.records(),
       .endpoint = config.grpc(),
       .executor_threads = kExecutorThreads},
      context, [&](const process::ProcessResources& resources) { return UpstreamHost::Open(config, resources); });
}

void FillAndCheck(UpstreamServiceConfig* config, runtime::ConfigProblems* problems) {
  process::FillAndCheckGrpc(config->mutable_grpc(), problems);
  process::FillAndCheckRecords(config->mutable_records(), problems);
  runtime::FillDefaults(config->mutable_blob_service());
  runtime::FillDefaults(config->mutable_manifest_service());
  runtime::CheckDataDirectory("data_directory", config->data_directory(), problems);
  runtime::CheckService("blob_service", config->blob_service(), problems);
  runtime::CheckService("manifest_service", config->manifest_service(), problems);
  if (config->upstreams_file().empty()) {
    problems->Add("upstreams_file", "must name the upstreams file");
  } else {
    problems->AddLines("upstreams_file", CheckUpstreamsFile(config->upstreams_file()));
  }
}

}  // namespace

runtime::ServiceDefinition<UpstreamServiceConfig> UpstreamProcess() {
  runtime::ServiceDefinition<UpstreamServiceConfig> definition;
  definition.name = "entrepot-upstream";
  definition.fill_and_check = FillAndCheck;
  definition.start = Start;
  return definition;
}

}  // namespace entrepot::upstream
