#include "services/kv/stack/kv_stack.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/time/proto_time.h"
#include "services/kv/metrics_kv_engine.h"
#include "services/kv/postgres/postgres_kv_engine.h"
#include "services/kv/rocksdb/rocksdb_kv_engine.h"
#include "services/kv/rocksdb/rocksdb_open.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {
namespace {

constexpr char kEngineName[] = "rocksdb";
constexpr char kPostgresName[] = "postgres";

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

class PostgresStack : public KvStack {
 public:
  PostgresStack(std::unique_ptr<KvMetrics> metrics, std::unique_ptr<PostgresKvEngine> postgres)
      : metrics_(std::move(metrics)), postgres_(std::move(postgres)), measured_(postgres_.get(), metrics_.get()) {}

  KvEngine* engine() override { return &measured_; }
  bool shared() const override { return true; }
  std::shared_ptr<prometheus::Collectable> engine_metrics() const override { return postgres_->metrics(); }
  absl::Status Snapshot(const std::string&) override {
    return absl::FailedPreconditionError(
        "the records are in PostgreSQL, which is backed up with its own tools (docs/postgres.md)");
  }
  // The server may come back at any time.
  absl::Status Health() const override { return absl::OkStatus(); }
  absl::Status CheckWritable() const override { return postgres_->CheckWritable(); }

 private:
  const std::unique_ptr<KvMetrics> metrics_;
  const std::unique_ptr<PostgresKvEngine> postgres_;
  MetricsKvEngine measured_;
};

PostgresAddress ToPostgresAddress(const config::v1::Postgres& postgres) {
  PostgresAddress address;
  address.servers.assign(postgres.servers().begin(), postgres.servers().end());
  address.database = postgres.database();
  address.user = postgres.user();
  address.password_file = postgres.password_file();
  address.ca_file = postgres.tls().ca_file();
  address.certificate_file = postgres.tls().certificate_file();
  address.private_key_file = postgres.tls().private_key_file();
  return address;
}

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
  if (!records.has_postgres()) return Open(directory, std::move(registry), std::move(log));
  const config::v1::Postgres& postgres = records.postgres();
  auto metrics = std::make_unique<KvMetrics>(std::move(registry), kPostgresName);
  PostgresKvEngine::Options options;
  options.address = ToPostgresAddress(postgres);
  options.connections_max = static_cast<int>(postgres.connections_max());
  options.connection_wait = ToDuration(postgres.connection_wait());
  if (log) options.log = [log = std::move(log)](absl::string_view line) { log(kPostgresName, line); };
  options.retry.on_retry = [metrics = metrics.get()](RetryReason reason) { metrics->CountRetry(reason); };
  ASSIGN_OR_RETURN(std::unique_ptr<PostgresKvEngine> engine, PostgresKvEngine::Open(options));
  return std::make_unique<PostgresStack>(std::move(metrics), std::move(engine));
}

}  // namespace entrepot::kv
