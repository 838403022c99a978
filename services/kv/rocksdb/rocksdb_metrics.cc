#include "services/kv/rocksdb/rocksdb_metrics.h"

#include <cstdlib>
#include <memory>
#include <string>

#include "rocksdb/statistics.h"

namespace entrepot::kv {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

struct PropertyGauge {
  const char* metric;
  const char* property;
  const char* help;
};

constexpr PropertyGauge kGauges[] = {
    {"entrepot_rocksdb_level0_files", "rocksdb.num-files-at-level0",
     "SST files of level 0; writes are slowed down from 20 on and stopped at 36."},
    {"entrepot_rocksdb_pending_compaction_bytes", "rocksdb.estimate-pending-compaction-bytes",
     "Estimate of the bytes that compaction still has to rewrite."},
    {"entrepot_rocksdb_write_stopped", "rocksdb.is-write-stopped", "1 while writes wait for flush or compaction."},
    {"entrepot_rocksdb_delayed_write_rate_bytes_per_second", "rocksdb.actual-delayed-write-rate",
     "The rate that writes are slowed down to; 0 if they are not."},
    {"entrepot_rocksdb_memtable_bytes", "rocksdb.size-all-mem-tables", "Memory of all memtables."},
    {"entrepot_rocksdb_block_cache_bytes", "rocksdb.block-cache-usage",
     "Memory of the block cache, with the memtables charged to it."},
    {"entrepot_rocksdb_sst_bytes", "rocksdb.total-sst-files-size", "Size of the SST files."},
    {"entrepot_rocksdb_blob_file_bytes", "rocksdb.total-blob-file-size", "Size of the files of large values."},
    {"entrepot_rocksdb_blob_file_garbage_bytes", "rocksdb.live-blob-file-garbage-size",
     "Deleted bytes in the files of large values that are not reclaimed yet."},
    {"entrepot_rocksdb_keys", "rocksdb.estimate-num-keys", "Estimate of the keys stored."},
};

struct TickerCounter {
  const char* metric;
  rocksdb::Tickers ticker;
  double unit;
  const char* help;
};

constexpr TickerCounter kCounters[] = {
    {"entrepot_rocksdb_stall_seconds_total", rocksdb::STALL_MICROS, 1e-6,
     "Time that writers waited for flush or compaction."},
    {"entrepot_rocksdb_wal_syncs_total", rocksdb::WAL_FILE_SYNCED, 1, "Syncs of the write-ahead log."},
    {"entrepot_rocksdb_wal_bytes_total", rocksdb::WAL_FILE_BYTES, 1, "Bytes written to the write-ahead log."},
    {"entrepot_rocksdb_block_cache_hits_total", rocksdb::BLOCK_CACHE_HIT, 1, "Blocks found in the cache."},
    {"entrepot_rocksdb_block_cache_misses_total", rocksdb::BLOCK_CACHE_MISS, 1, "Blocks read from a file."},
    {"entrepot_rocksdb_flush_bytes_total", rocksdb::FLUSH_WRITE_BYTES, 1, "Bytes written by flushes."},
    {"entrepot_rocksdb_compaction_read_bytes_total", rocksdb::COMPACT_READ_BYTES, 1, "Bytes read by compactions."},
    {"entrepot_rocksdb_compaction_write_bytes_total", rocksdb::COMPACT_WRITE_BYTES, 1, "Bytes written by compactions."},
};

MetricFamily Gauge(const char* name, const char* help, double value) {
  MetricFamily family{name, help, MetricType::Gauge, {}};
  family.metric.emplace_back().gauge.value = value;
  return family;
}

MetricFamily Counter(const char* name, const char* help, double value) {
  MetricFamily family{name, help, MetricType::Counter, {}};
  family.metric.emplace_back().counter.value = value;
  return family;
}

double Read(rocksdb::DB& db, const char* property) {
  std::string value;
  return db.GetProperty(property, &value) ? std::strtod(value.c_str(), nullptr) : 0;
}

}  // namespace

void RocksDbMetrics::Detach() {
  absl::MutexLock lock(&mutex_);
  db_ = nullptr;
}

std::vector<MetricFamily> RocksDbMetrics::Collect() const {
  std::vector<MetricFamily> families;
  absl::MutexLock lock(&mutex_);
  if (db_ == nullptr) return families;
  for (const PropertyGauge& gauge : kGauges) {
    families.push_back(Gauge(gauge.metric, gauge.help, Read(*db_, gauge.property)));
  }
  const std::shared_ptr<rocksdb::Statistics> statistics = db_->GetDBOptions().statistics;
  for (const TickerCounter& counter : kCounters) {
    const double ticks = static_cast<double>(statistics->getTickerCount(counter.ticker));
    families.push_back(Counter(counter.metric, counter.help, ticks * counter.unit));
  }
  families.push_back(Counter("entrepot_rocksdb_background_errors_total", "I/O errors and corruption that RocksDB met.",
                             static_cast<double>(health_->background_errors())));
  families.push_back(Gauge("entrepot_rocksdb_writing_stopped_by_error",
                           "1 from the first failed write on, until a restart.", health_->Check().ok() ? 0 : 1));
  return families;
}

}  // namespace entrepot::kv
