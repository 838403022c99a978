#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_TAILS_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_TAILS_H_

#include <string>

#include "absl/status/status.h"

namespace entrepot::kv {

// Cuts a record that a power cut tore from the end of the last write-ahead log (*.log) of a RocksDB directory that is
// not open (rocksdb_wal_end.h). RocksDB can then treat every incomplete record as damage, and does.
//
// kDataLoss if a log is damaged, or if a torn log is followed by one that has records. kUnimplemented if a log contains
// a record type that the check does not know: only RocksDB's own recovery can tell whether the log is whole. In both
// cases the message contains the file and the offset, and nothing is changed. kUnavailable if a file cannot be read or
// cut.
absl::Status CutTornWalTails(const std::string& directory);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_WAL_TAILS_H_
