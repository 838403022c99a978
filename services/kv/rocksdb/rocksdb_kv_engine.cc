#include "services/kv/rocksdb/rocksdb_kv_engine.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "rocksdb/utilities/checkpoint.h"
#include "rocksdb/utilities/transaction.h"
#include "rocksdb/utilities/transaction_db.h"
#include "services/core/failpoint/failpoint.h"
#include "services/core/files/disk_space.h"
#include "services/core/files/durable_directory.h"
#include "services/kv/lock_table.h"
#include "services/kv/rocksdb/owned_directory.h"
#include "services/kv/rocksdb/rocksdb_health.h"
#include "services/kv/rocksdb/rocksdb_logger.h"
#include "services/kv/rocksdb/rocksdb_metrics.h"
#include "services/kv/rocksdb/rocksdb_open.h"
#include "services/kv/rocksdb/rocksdb_reads.h"
#include "services/kv/rocksdb/rocksdb_status.h"
#include "services/kv/rocksdb/rocksdb_transaction.h"
#include "services/kv/rocksdb/rocksdb_wal_tails.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {

struct RocksDbKvEngine::Db {
  std::string path;
  RetryPolicy retry;
  absl::Duration lock_timeout;
  OwnedDirectory directory;
  std::shared_ptr<RocksDbHealth> health;
  std::unique_ptr<rocksdb::TransactionDB> transactions;
  // The database of `transactions`. Reads outside of transactions bypass the wrapper.
  rocksdb::DB* base;
  rocksdb::ColumnFamilyHandle* column_family;
  std::shared_ptr<RocksDbMetrics> metrics;
  // Not RocksDB's own locks: its shared locks overtake a waiting exclusive one for as long as they overlap.
  LockTable locks = {};
};

absl::StatusOr<std::unique_ptr<RocksDbKvEngine>> RocksDbKvEngine::Open(const Options& options) {
  ASSIGN_OR_RETURN(OwnedDirectory directory, OwnedDirectory::Acquire(options.directory));
  auto health = std::make_shared<RocksDbHealth>();
  rocksdb::Options settings =
      MakeRocksDbOptions(options.memory_bytes_max, health, std::make_shared<RocksDbLogger>(options.log));
  const absl::Status cut = CutTornWalTails(options.directory);
  if (absl::IsUnimplemented(cut)) {
    if (options.log) options.log(absl::StrCat(cut.message(), ", which is not known here: RocksDB recovers it alone"));
    settings.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  } else {
    RETURN_IF_ERROR(cut);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<rocksdb::TransactionDB> opened, OpenTransactionDb(settings, options.directory));
  rocksdb::DB* const base = opened->GetBaseDB();
  auto metrics = std::make_shared<RocksDbMetrics>(base, health.get());
  return std::unique_ptr<RocksDbKvEngine>(new RocksDbKvEngine(std::unique_ptr<Db>(new Db{
      .path = options.directory,
      .retry = options.retry,
      .lock_timeout = options.lock_timeout,
      .directory = std::move(directory),
      .health = std::move(health),
      .transactions = std::move(opened),
      .base = base,
      .column_family = base->DefaultColumnFamily(),
      .metrics = std::move(metrics),
  })));
}

class RocksDbKvEngine::InMemory : public KvReader {
 public:
  explicit InMemory(const Db* db) : db_(*db) { options_.read_tier = rocksdb::kBlockCacheTier; }

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override {
    ASSIGN_OR_RETURN(std::optional<std::string> value, ReadOne([&](rocksdb::PinnableSlice* found) {
                       return db_.base->Get(options_, db_.column_family, ToSlice(key), found);
                     }));
    if (MayBeUnread(value)) return NotInMemory();
    return value;
  }
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override {
    ASSIGN_OR_RETURN(std::vector<std::optional<std::string>> values,
                     ReadMany(keys, [&](size_t count, const rocksdb::Slice* slices, rocksdb::PinnableSlice* found,
                                        rocksdb::Status* statuses) {
                       db_.base->MultiGet(options_, db_.column_family, count, slices, found, statuses);
                     }));
    if (std::any_of(values.begin(), values.end(), MayBeUnread)) return NotInMemory();
    return values;
  }
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions&) override {
    return absl::UnimplementedError("a scan may need the disk");
  }

 private:
  // If the table that may have the key is not open, as after a compaction, RocksDB answers OK with an empty value
  // (TableCache::Get, GetContext::MarkKeyMayExist). A value that is really empty is read from the disk, too.
  static bool MayBeUnread(const std::optional<std::string>& value) { return value.has_value() && value->empty(); }

  const Db& db_;
  rocksdb::ReadOptions options_;
};

RocksDbKvEngine::RocksDbKvEngine(std::unique_ptr<Db> db)
    : db_(std::move(db)), in_memory_(std::make_unique<InMemory>(db_.get())) {}

RocksDbKvEngine::~RocksDbKvEngine() {
  db_->metrics->Detach();
  // If this fails, nothing is lost: the log has all records.
  if (db_->health->Check().ok()) db_->base->Flush(rocksdb::FlushOptions()).PermitUncheckedError();
}

absl::StatusOr<std::optional<std::string>> RocksDbKvEngine::Get(absl::string_view key) {
  return ReadOne([&](rocksdb::PinnableSlice* value) {
    return db_->base->Get(rocksdb::ReadOptions(), db_->column_family, ToSlice(key), value);
  });
}

absl::StatusOr<std::vector<std::optional<std::string>>> RocksDbKvEngine::MultiGet(absl::Span<const std::string> keys) {
  return ReadMany(
      keys, [&](size_t count, const rocksdb::Slice* slices, rocksdb::PinnableSlice* values, rocksdb::Status* statuses) {
        db_->base->MultiGet(rocksdb::ReadOptions(), db_->column_family, count, slices, values, statuses);
      });
}

absl::StatusOr<std::vector<KeyValue>> RocksDbKvEngine::Scan(const ScanOptions& options) {
  return ReadRange(options, [&](const rocksdb::ReadOptions& read_options) {
    return db_->base->NewIterator(read_options, db_->column_family);
  });
}

absl::Status RocksDbKvEngine::Transact(std::vector<Lock> locks, const Function& fn, Durability durability) {
  const std::vector<Lock> ordered = InLockingOrder(std::move(locks));
  return RetryWhileAborted(db_->retry, [&] { return TransactOnce(ordered, fn, durability); });
}

Attempt RocksDbKvEngine::TransactOnce(const std::vector<Lock>& locks, const Function& fn, Durability durability) {
  rocksdb::WriteOptions write_options;
  write_options.sync = durability == Durability::kSynced;
  absl::StatusOr<LockTable::Held> held = db_->locks.Acquire(locks, db_->lock_timeout);
  if (!held.ok()) return {held.status(), RetryReason::kLockTimeout};
  const std::unique_ptr<rocksdb::Transaction> transaction(db_->transactions->BeginTransaction(write_options));
  RocksDbTransaction view(transaction.get(), db_->column_family, &locks);
  if (absl::Status status = fn(view); !status.ok()) return {std::move(status), RetryReason::kFunction};
  if (!view.write_status().ok()) return {view.write_status()};
  if (!view.has_writes()) return {absl::OkStatus()};
  if (absl::Status refused = CheckMayCommit(view.has_deletes()); !refused.ok()) return {std::move(refused)};
  if (absl::Status reached = Failpoint("kv.transact.ran"); !reached.ok()) return {std::move(reached)};
  absl::Status committed = FromRocksDb(transaction->Commit(), "cannot commit");
  if (!committed.ok()) db_->health->Stop(committed);
  if (committed.ok()) committed = Failpoint("kv.transact.committed");
  return {std::move(committed)};
}

absl::Status RocksDbKvEngine::CheckMayCommit(bool deletes) const {
  const absl::Status in_place = db_->directory.CheckInPlace();
  // Final, because RocksDB may already have made files in the other directory.
  if (absl::IsFailedPrecondition(in_place)) db_->health->Stop(absl::UnavailableError(in_place.message()));
  const absl::Status health = db_->health->Check();
  if (absl::IsUnavailable(health)) {
    return OciError(OciErrorCode::kUnavailable, health.message(),
                    "nothing can be written: the metadata store has stopped until it is restarted");
  }
  RETURN_IF_ERROR(health);
  ASSIGN_OR_RETURN(const DiskSpace space, ReadDiskSpace(db_->path));
  return CheckRoomForRecords(space, deletes);
}

absl::Status RocksDbKvEngine::Snapshot(const std::string& directory) {
  const std::string doing = absl::StrCat("cannot copy the database to ", directory);
  if (std::error_code error; std::filesystem::exists(directory, error)) {
    return absl::AlreadyExistsError(absl::StrCat(doing, ": the path exists already"));
  }
  rocksdb::Checkpoint* created = nullptr;
  RETURN_IF_ERROR(FromRocksDb(rocksdb::Checkpoint::Create(db_->base, &created), doing));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(created);
  // Flushes first, so that the copied part of the log only has later records.
  RETURN_IF_ERROR(FromRocksDb(checkpoint->CreateCheckpoint(std::filesystem::absolute(directory)), doing));
  return SyncNameOf(directory);
}

KvReader& RocksDbKvEngine::in_memory() { return *in_memory_; }

absl::Status RocksDbKvEngine::Health() const { return db_->health->Check(); }

std::shared_ptr<prometheus::Collectable> RocksDbKvEngine::metrics() const { return db_->metrics; }

}  // namespace entrepot::kv
