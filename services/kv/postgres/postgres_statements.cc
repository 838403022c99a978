#include "services/kv/postgres/postgres_statements.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "services/kv/postgres/postgres_values.h"

namespace entrepot::kv {
namespace {

constexpr char kBegin[] = "begin", kCommit[] = "commit", kRollback[] = "rollback", kBuffered[] = "buffered",
               kLock[] = "lock", kGet[] = "get", kScan[] = "scan", kScanToEnd[] = "scan_to_end",
               kScanBytes[] = "scan_bytes", kScanBytesToEnd[] = "scan_bytes_to_end", kPut[] = "put",
               kDelete[] = "delete", kNote[] = "note", kFind[] = "find", kForget[] = "forget";

// `k` and `v` up to the row with which they reach $3 bytes. Lengths are known without reading large values.
std::string ScanBytesSql(absl::string_view range) {
  return absl::StrCat(
      "SELECT k, v FROM (SELECT k, v, coalesce(sum(octet_length(k) + octet_length(v)) OVER (ORDER BY k ROWS BETWEEN "
      "UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before FROM (SELECT k, v FROM entrepot.records WHERE ",
      range, " ORDER BY k LIMIT $2) AS page) AS sums WHERE before < $3 ORDER BY k");
}

std::vector<std::pair<const char*, std::string>> Sources() {
  return {
      {kBegin, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"},
      {kCommit, "COMMIT"},
      {kRollback, "ROLLBACK"},
      {kBuffered, "SET LOCAL synchronous_commit = off"},
      // No ORDER BY and no LIMIT: those may run the functions in another order.
      {kLock,
       "SELECT CASE WHEN exclusive THEN pg_advisory_xact_lock(id) ELSE pg_advisory_xact_lock_shared(id) END "
       "FROM unnest($1::bigint[], $2::boolean[]) AS locks (id, exclusive)"},
      {kGet,
       "SELECT r.v FROM unnest($1::bytea[]) WITH ORDINALITY AS wanted (k, n) LEFT JOIN entrepot.records AS r "
       "ON r.k = wanted.k ORDER BY wanted.n"},
      {kScan, "SELECT k, v FROM entrepot.records WHERE k >= $1::bytea AND k < $3::bytea ORDER BY k LIMIT $2::bigint"},
      {kScanToEnd, "SELECT k, v FROM entrepot.records WHERE k >= $1::bytea ORDER BY k LIMIT $2::bigint"},
      {kScanBytes, ScanBytesSql("k >= $1::bytea AND k < $4::bytea")},
      {kScanBytesToEnd, ScanBytesSql("k >= $1::bytea")},
      {kPut,
       "INSERT INTO entrepot.records (k, v) SELECT * FROM unnest($1::bytea[], $2::bytea[]) "
       "ON CONFLICT (k) DO UPDATE SET v = EXCLUDED.v"},
      {kDelete, "DELETE FROM entrepot.records WHERE k = ANY ($1::bytea[])"},
      {kNote, "INSERT INTO entrepot.commits (id) VALUES ($1)"},
      {kFind, "SELECT 1 FROM entrepot.commits WHERE id = $1"},
      {kForget,
       absl::StrCat("DELETE FROM entrepot.commits WHERE id IN (SELECT id FROM entrepot.commits WHERE id < $1 ORDER BY "
                    "id LIMIT ",
                    kForgottenAtOnce, " FOR UPDATE SKIP LOCKED)")},
  };
}

int64_t Limit(const ScanOptions& options, size_t more) {
  constexpr size_t kMax = size_t{1} << 40;
  return static_cast<int64_t>(std::min(options.limit, kMax) + std::min(more, kMax));
}

}  // namespace

absl::Status PrepareStatements(PostgresConnection& connection) {
  std::vector<PostgresStatement> statements;
  for (auto& [name, sql] : Sources()) statements.push_back({.name = name, .sql = std::move(sql), .prepare = true});
  return connection.Run(statements).status();
}

PostgresStatement BeginStatement() { return {.name = kBegin}; }
PostgresStatement CommitStatement() { return {.name = kCommit}; }
PostgresStatement RollbackStatement() { return {.name = kRollback}; }
PostgresStatement BufferedStatement() { return {.name = kBuffered}; }

PostgresStatement LockStatement(const PostgresLocks& locks) {
  return {.name = kLock, .parameters = {BinaryInt64Array(locks.ids), BinaryBoolArray(locks.exclusive)}};
}

PostgresStatement GetStatement(absl::Span<const std::string> keys) {
  return {.name = kGet, .parameters = {BinaryBytesArray({keys.begin(), keys.end()})}};
}

std::vector<std::optional<std::string>> GetAnswer(const PostgresRows& rows) {
  std::vector<std::optional<std::string>> values(rows.size());
  for (int row = 0; row < rows.size(); ++row) {
    if (!rows.IsNull(row, 0)) values[row] = std::string(rows.Bytes(row, 0));
  }
  return values;
}

PostgresStatement ScanStatement(const ScanOptions& options, size_t more) {
  const std::string end = PrefixEnd(options.prefix);
  // What a transaction leaves out is not known to the server: it applies the bound of bytes itself.
  const bool bounded = options.bytes_max != std::numeric_limits<size_t>::max() && more == 0;
  PostgresStatement statement;
  statement.parameters = {ScanBegin(options), BinaryInt64(Limit(options, more))};
  if (bounded) {
    constexpr size_t kMax = size_t{1} << 40;
    statement.parameters.push_back(BinaryInt64(static_cast<int64_t>(std::min(options.bytes_max, kMax))));
    statement.name = end.empty() ? kScanBytesToEnd : kScanBytes;
  } else {
    statement.name = end.empty() ? kScanToEnd : kScan;
  }
  if (!end.empty()) statement.parameters.push_back(end);
  return statement;
}

std::vector<KeyValue> ScanAnswer(const PostgresRows& rows, const ScanOptions& options) {
  std::vector<KeyValue> found;
  size_t bytes = 0;
  for (int row = 0; row < rows.size() && bytes < options.bytes_max; ++row) {
    found.push_back({std::string(rows.Bytes(row, 0)), std::string(rows.Bytes(row, 1))});
    bytes += found.back().size_bytes();
  }
  return found;
}

void AddWrites(const WriteBuffer::Writes& writes, std::vector<PostgresStatement>* statements) {
  std::vector<absl::string_view> put, values, deleted;
  for (const auto& [key, value] : writes) {
    if (value.has_value()) {
      put.push_back(key);
      values.push_back(*value);
    } else {
      deleted.push_back(key);
    }
  }
  if (!put.empty()) {
    statements->push_back({.name = kPut, .parameters = {BinaryBytesArray(put), BinaryBytesArray(values)}});
  }
  if (!deleted.empty()) statements->push_back({.name = kDelete, .parameters = {BinaryBytesArray(deleted)}});
}

PostgresStatement NoteCommitStatement(const std::string& commit_id) {
  return {.name = kNote, .parameters = {commit_id}};
}
PostgresStatement FindCommitStatement(const std::string& commit_id) {
  return {.name = kFind, .parameters = {commit_id}};
}

std::string NewCommitId(int64_t server_micros) {
  static thread_local absl::BitGen random;
  return BinaryInt64(server_micros) +
         BinaryInt64(absl::Uniform<int64_t>(absl::IntervalClosed, random, std::numeric_limits<int64_t>::min(),
                                            std::numeric_limits<int64_t>::max()));
}

PostgresStatement ForgetCommitsStatement(int64_t server_micros) {
  return {.name = kForget, .parameters = {BinaryInt64(server_micros)}};
}

}  // namespace entrepot::kv
