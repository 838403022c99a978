#include "services/kv/rocksdb/rocksdb_open.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/statistics.h"
#include "rocksdb/table.h"
#include "rocksdb/utilities/table_properties_collectors.h"
#include "rocksdb/write_buffer_manager.h"
#include "services/kv/rocksdb/rocksdb_status.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

rocksdb::BlockBasedTableOptions TableOptions(std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = std::move(cache);
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.pin_top_level_index_and_filter = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.optimize_filters_for_memory = true;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  return table;
}

void SetMemory(rocksdb::Options& options, size_t memory_bytes_max) {
  std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(memory_bytes_max, /*num_shard_bits=*/3);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(cache)));
  // Memtables are charged to the block cache: they displace blocks, and take nothing from the rest of the process.
  options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(memory_bytes_max / 3, cache);
  options.write_buffer_size = memory_bytes_max / 6;
  options.max_write_buffer_number = 4;
  // TransactionDB would keep flushed memtables to validate snapshots; we use none.
  options.max_write_buffer_size_to_maintain = 1;
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.02;
}

void SetDurability(rocksdb::Options& options) {
  // CutTornWalTails() has cut torn records already.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  options.verify_sst_unique_id_in_manifest = true;
  options.paranoid_checks = true;
  options.avoid_flush_during_recovery = false;
  options.max_bgerror_resume_count = 0;
}

void SetFiles(rocksdb::Options& options) {
  options.max_open_files = kRocksDbOpenFilesMax;
  options.target_file_size_base = 32 * kMiB;
  options.max_bytes_for_level_base = 128 * kMiB;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression_per_level = {rocksdb::kNoCompression, rocksdb::kNoCompression, rocksdb::kLZ4Compression};
  options.max_background_jobs = 2;
  options.bytes_per_sync = kMiB / 2;
  options.enable_blob_files = true;
  options.min_blob_size = 4096;
  options.blob_file_size = 128 * kMiB;
  options.blob_compression_type = rocksdb::kNoCompression;
  options.enable_blob_garbage_collection = true;
  options.blob_garbage_collection_age_cutoff = 0.5;
  options.blob_garbage_collection_force_threshold = 0.5;
  // Tombstones are compacted soon, because only then the deleted values become garbage.
  options.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(/*sliding_window_size=*/1000, /*deletion_trigger=*/500));
}

void SetDiagnostics(rocksdb::Options& options) {
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.statistics = rocksdb::CreateDBStatistics();
  options.statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
}

}  // namespace

rocksdb::Options MakeRocksDbOptions(size_t memory_bytes_max, std::shared_ptr<rocksdb::EventListener> listener,
                                    std::shared_ptr<rocksdb::Logger> logger) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.listeners.push_back(std::move(listener));
  options.info_log = std::move(logger);
  SetMemory(options, memory_bytes_max);
  SetDurability(options);
  SetFiles(options);
  SetDiagnostics(options);
  return options;
}

absl::StatusOr<std::unique_ptr<rocksdb::TransactionDB>> OpenTransactionDb(const rocksdb::Options& options,
                                                                          const std::string& directory) {
  const std::string doing = absl::StrCat("cannot open the database in ", directory);
  rocksdb::DBOptions db_options(options);
  std::vector<rocksdb::ColumnFamilyDescriptor> families = {{rocksdb::kDefaultColumnFamilyName, options}};
  std::vector<size_t> families_to_compact;
  rocksdb::TransactionDB::PrepareWrap(&db_options, &families, &families_to_compact);
  db_options.allow_2pc = false;

  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  RETURN_IF_ERROR(FromRocksDb(rocksdb::DB::Open(db_options, directory, families, &handles, &db), doing));
  rocksdb::TransactionDB* transactions = nullptr;
  RETURN_IF_ERROR(FromRocksDb(
      rocksdb::TransactionDB::WrapDB(db, rocksdb::TransactionDBOptions(), families_to_compact, handles, &transactions),
      doing));
  // The database keeps a handle of its own to its only column family.
  for (rocksdb::ColumnFamilyHandle* handle : handles) delete handle;
  return std::unique_ptr<rocksdb::TransactionDB>(transactions);
}

}  // namespace entrepot::kv
