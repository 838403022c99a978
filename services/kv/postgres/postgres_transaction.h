#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_TRANSACTION_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_TRANSACTION_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/kv/kv_engine.h"
#include "services/kv/postgres/postgres_connection.h"
#include "services/kv/postgres/postgres_locks.h"
#include "services/kv/write_buffer.h"

namespace entrepot::kv {

// A transaction of PostgreSQL that holds its locks: the view that a transaction's function works on. Its writes stay
// here until the commit, which sends them. What cannot be read or written fails the transaction: see status().
class PostgresTransaction : public KvTransaction {
 public:
  // Both must outlive it. `locks` are in locking order.
  PostgresTransaction(PostgresConnection* connection, const std::vector<Lock>* locks)
      : connection_(*connection), locks_(*locks), buffer_(locks) {}

  // Begins the transaction and takes all locks, and reads the values of the locked keys in the same round trip: most
  // functions read them first.
  absl::Status Begin(const PostgresLocks& locks);

  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key) override;
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(absl::Span<const std::string> keys) override;
  absl::StatusOr<std::vector<KeyValue>> Scan(const ScanOptions& options) override;
  void Put(absl::string_view key, absl::string_view value) override;
  void Delete(absl::string_view key) override;

  // OK, or the first error of a read or write: then nothing may be committed.
  absl::Status status() const;
  const WriteBuffer::Writes& writes() const { return buffer_.writes(); }

 private:
  bool MayWrite(absl::string_view key);
  absl::StatusOr<std::vector<PostgresRows>> Read(PostgresStatement statement);

  PostgresConnection& connection_;
  const std::vector<Lock>& locks_;
  WriteBuffer buffer_;
  // The values of locked keys, which no other transaction changes.
  absl::flat_hash_map<std::string, std::optional<std::string>> locked_values_;
  absl::Status status_;
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_TRANSACTION_H_
