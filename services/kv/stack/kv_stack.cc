#include "services/kv/stack/kv_stack.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/kv/metrics_kv_engine.h"
#include "services/kv/rocksdb/rocksdb_kv_engine.h"
#include "services/kv/rocksdb/rocksdb_open.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {
namespace {

constexpr char kEngineName[] = "rocksdb";

class RocksDbStack : public KvStack {
 public:
  RocksDbStack(std::unique_ptr<KvMetrics> metrics, std::unique_ptr<RocksDbKvEngine> rocksdb)
      : metrics_(std::move(metrics)), rocksdb_(std::move(rocksdb)), measured_(rocksdb_.get(), metrics_.get()) {}

  KvEngine* engine() override { return &measured_; }
  bool shared() const override { return false; }
  std::shared_ptr<prometheus::Collectable> engine_metrics() const override { return rocksdb_->metrics(); }
  absl::Status Snapshot(const std::string& directory) override { return rocksdb_->Snapshot(directory); }
  absl::Status Health() const override { return rocksdb_->Health(); }
  absl::Status CheckWritable() const override { return rocksdb_->CheckWritable(); }

 private:
  const std::unique_ptr<KvMetrics> metrics_;
  const std::unique_ptr<RocksDbKvEngine> rocksdb_;
  MetricsKvEngine measured_;
};

}  // namespace

size_t KvStack::OpenFilesMax() { return kRocksDbOpenFilesMax; }

bool HoldsKvStore(const std::string& directory) {
  std::error_code error;
  // Every RocksDB database has this file: it names the current manifest.
  return std::filesystem::is_regular_file(absl::StrCat(directory, "/CURRENT"), error);
}

absl::StatusOr<std::unique_ptr<KvStack>> KvStack::Open(const std::string& directory,
                                                       std::shared_ptr<prometheus::Registry> registry, EngineLog log) {
  auto metrics = std::make_unique<KvMetrics>(std::move(registry), kEngineName);
  RocksDbKvEngine::Options options;
  options.directory = directory;
  if (log) options.log = [log = std::move(log)](absl::string_view line) { log(kEngineName, line); };
  options.retry.on_retry = [metrics = metrics.get()](RetryReason reason) { metrics->CountRetry(reason); };
  ASSIGN_OR_RETURN(std::unique_ptr<RocksDbKvEngine> rocksdb, RocksDbKvEngine::Open(options));
  return std::make_unique<RocksDbStack>(std::move(metrics), std::move(rocksdb));
}

absl::StatusOr<std::unique_ptr<KvStack>> KvStack::Open(const config::v1::RecordStore& records,
                                                       const std::string& directory,
                                                       std::shared_ptr<prometheus::Registry> registry, EngineLog log) {
  if (records.has_postgres()) return absl::UnimplementedError("records in PostgreSQL are not supported yet");
  return Open(directory, std::move(registry), std::move(log));
}

}  // namespace entrepot::kv
