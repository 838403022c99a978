#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_STATEMENTS_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_STATEMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "services/kv/kv_engine.h"
#include "services/kv/postgres/postgres_connection.h"
#include "services/kv/postgres/postgres_locks.h"
#include "services/kv/write_buffer.h"

// The statements of the engine, and what their answers mean.
namespace entrepot::kv {

// The longest key that fits into a page of the index.
inline constexpr size_t kPostgresKeyBytesMax = 2600;

// Prepares all statements below on a new connection. kFailedPrecondition if the tables or rights are missing.
absl::Status PrepareStatements(PostgresConnection& connection);

PostgresStatement BeginStatement();
PostgresStatement CommitStatement();
PostgresStatement RollbackStatement();
// Commits of this transaction need not be durable.
PostgresStatement BufferedStatement();
// All locks, until the end of the transaction.
PostgresStatement LockStatement(const PostgresLocks& locks);

// One snapshot for all keys.
PostgresStatement GetStatement(absl::Span<const std::string> keys);
std::vector<std::optional<std::string>> GetAnswer(const PostgresRows& rows);

// `limit` of `options` may be raised by `more`, for keys that the caller will leave out.
PostgresStatement ScanStatement(const ScanOptions& options, size_t more);
// With the bound of bytes applied.
std::vector<KeyValue> ScanAnswer(const PostgresRows& rows, const ScanOptions& options);

// The writes of a transaction, each key once and in the order of the keys.
void AddWrites(const WriteBuffer::Writes& writes, std::vector<PostgresStatement>* statements);

// A transaction writes the id of its commit, by which others find out whether it was committed.
PostgresStatement NoteCommitStatement(const std::string& commit_id);
PostgresStatement FindCommitStatement(const std::string& commit_id);
// An id that no other commit has. Ids ascend with the server's time.
std::string NewCommitId(int64_t server_micros);
// Deletes ids that are older than that time, some thousand a call; the tag of the answer tells how many.
PostgresStatement ForgetCommitsStatement(int64_t server_micros);
inline constexpr int kForgottenAtOnce = 5000;

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_STATEMENTS_H_
