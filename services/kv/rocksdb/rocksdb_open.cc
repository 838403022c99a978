#include "services/kv/rocksdb/rocksdb_open.h"

#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "services/kv/rocksdb/rocksdb_status.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {

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
  // The database has a handle of its own to its only column family.
  for (rocksdb::ColumnFamilyHandle* handle : handles) delete handle;
  return std::unique_ptr<rocksdb::TransactionDB>(transactions);
}

}  // namespace entrepot::kv
