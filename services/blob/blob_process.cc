#include "services/blob/blob_process.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/blob/blob_service.h"
#include "services/blob/blob_stack.h"
#include "services/blob/blob_threads.h"
#include "services/process/executor_metrics.h"
#include "services/process/grpc_process.h"
#include "services/process/process_kv.h"
#include "services/runtime/config/config_checks.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/threads/executor.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

using config::v1::BlobServiceConfig;

// Most of the time the threads wait for the disk.
constexpr size_t kExecutorThreads = 16;
// For the calls that wait for an S3 server, which takes longer.
constexpr size_t kS3Threads = 64;
// The scrub, a reported blob, a search for orphans and one job of an operator run side by side. Uploads that were
// staged before a restart are read back between them.
constexpr size_t kLongCallThreads = 4;

class BlobHost final : public process::HostedService {
 public:
  BlobHost(std::unique_ptr<BlobStack> stack, bool has_s3, const process::ProcessResources& resources)
      : stack_(std::move(stack)), long_calls_(kLongCallThreads) {
    BlobThreads threads{
        .requests = resources.executor, .large_objects = resources.executor, .long_calls = &long_calls_};
    if (has_s3) {
      s3_calls_ = std::make_unique<runtime::Executor>(kS3Threads);
      resources.executor_metrics->Add("large_objects", s3_calls_.get());
      threads.large_objects = s3_calls_.get();
    }
    service_ = std::make_unique<BlobService>(stack_.get(), threads);
  }

  grpc::Service* grpc_service() override { return service_.get(); }
  std::vector<runtime::HealthCheck> Checks() override { return stack_->Checks(); }
  void BeginDrain() override { stack_->storage().StopVerifying(); }

 private:
  const std::unique_ptr<BlobStack> stack_;
  runtime::Executor long_calls_;
  // Null without S3. Its jobs post others to `long_calls_`.
  std::unique_ptr<runtime::Executor> s3_calls_;
  std::unique_ptr<BlobService> service_;
};

absl::StatusOr<std::unique_ptr<runtime::RunningService>> Start(const BlobServiceConfig& config,
                                                               const runtime::ServiceContext& context) {
  return process::StartGrpcProcess(
      {.data_directory = config.data_directory(),
       .records = config.records(),
       .endpoint = config.grpc(),
       .executor_threads = kExecutorThreads},
      context,
      [&](const process::ProcessResources& resources) -> absl::StatusOr<std::unique_ptr<process::HostedService>> {
        BlobStackOptions options;
        options.directory = absl::StrCat(config.data_directory(), "/blobs");
        options.objects = config.objects();
        options.uploads = config.uploads();
        options.object_durability = kv::Durability::kSynced;
        options.snapshot_kv = [kv = resources.kv](const std::string& directory) { return kv->Snapshot(directory); };
        ASSIGN_OR_RETURN(std::unique_ptr<BlobStack> stack, BlobStack::Open(options, {.kv = resources.kv->engine(),
                                                                                     .clock = resources.clock,
                                                                                     .registry = context.registry}));
        return std::make_unique<BlobHost>(std::move(stack), config.objects().has_s3(), resources);
      });
}

void FillAndCheck(BlobServiceConfig* config, runtime::ConfigProblems* problems) {
  process::FillAndCheckGrpc(config->mutable_grpc(), problems);
  process::FillAndCheckRecords(config->mutable_records(), problems);
  runtime::FillDefaults(config->mutable_uploads());
  runtime::CheckUploads("uploads", config->uploads(), problems);
  if (config->has_objects()) {
    runtime::FillDefaults(config->mutable_objects());
    runtime::CheckObjectStorage("objects", config->objects(), problems);
  }
  runtime::CheckDataDirectory("data_directory", config->data_directory(), problems);
}

}  // namespace

runtime::ServiceDefinition<BlobServiceConfig> BlobProcess() {
  runtime::ServiceDefinition<BlobServiceConfig> definition;
  definition.name = "entrepot-blob";
  definition.fill_and_check = FillAndCheck;
  definition.start = Start;
  return definition;
}

}  // namespace entrepot::blob
