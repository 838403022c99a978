#include "services/kv/postgres/postgres_transaction.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/kv/postgres/postgres_statements.h"
#include "services/status/status_macros.h"

namespace entrepot::kv {
namespace {

// A transaction with more locks reads what it needs.
constexpr size_t kReadAheadMax = 64;

}  // namespace

absl::Status PostgresTransaction::Begin(const PostgresLocks& locks) {
  std::vector<PostgresStatement> statements = {BeginStatement()};
  std::vector<std::string> keys;
  if (!locks.ids.empty()) statements.push_back(LockStatement(locks));
  if (!locks_.empty() && locks_.size() <= kReadAheadMax) {
    for (const Lock& lock : locks_) keys.push_back(lock.key);
    // A statement of its own: one that waits for the lock would read what was there before.
    statements.push_back(GetStatement(keys));
  }
  ASSIGN_OR_RETURN(const std::vector<PostgresRows> answers, connection_.Run(statements));
  if (keys.empty()) return absl::OkStatus();
  std::vector<std::optional<std::string>> values = GetAnswer(answers.back());
  if (values.size() != keys.size()) return absl::InternalError("PostgreSQL: a value is missing");
  for (size_t i = 0; i < keys.size(); ++i) locked_values_[std::move(keys[i])] = std::move(values[i]);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> PostgresTransaction::Get(absl::string_view key) {
  const std::string keys[] = {std::string(key)};
  ASSIGN_OR_RETURN(std::vector<std::optional<std::string>> values, MultiGet(keys));
  return std::move(values[0]);
}

absl::StatusOr<std::vector<std::optional<std::string>>> PostgresTransaction::MultiGet(
    absl::Span<const std::string> keys) {
  std::vector<std::optional<std::string>> values(keys.size());
  std::vector<std::string> missing;
  std::vector<size_t> places;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (const auto write = writes().find(keys[i]); write != writes().end()) {
      values[i] = write->second;
    } else if (const auto known = locked_values_.find(keys[i]); known != locked_values_.end()) {
      values[i] = known->second;
    } else {
      missing.push_back(keys[i]);
      places.push_back(i);
    }
  }
  if (missing.empty()) return values;
  ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows, Read(GetStatement(missing)));
  std::vector<std::optional<std::string>> read = GetAnswer(rows[0]);
  if (read.size() != missing.size()) return absl::InternalError("PostgreSQL: a value is missing");
  for (size_t i = 0; i < read.size(); ++i) values[places[i]] = std::move(read[i]);
  return values;
}

absl::StatusOr<std::vector<KeyValue>> PostgresTransaction::Scan(const ScanOptions& options) {
  // As many more rows as writes of this transaction may take out of the range.
  size_t more = 0;
  for (auto write = writes().lower_bound(ScanBegin(options));
       write != writes().end() && absl::StartsWith(write->first, options.prefix); ++write) {
    ++more;
  }
  ASSIGN_OR_RETURN(const std::vector<PostgresRows> rows, Read(ScanStatement(options, more)));
  if (more == 0) return ScanAnswer(rows[0], options);
  Entries entries;
  for (int row = 0; row < rows[0].size(); ++row) {
    entries.emplace_hint(entries.end(), rows[0].Bytes(row, 0), rows[0].Bytes(row, 1));
  }
  return buffer_.Scan(entries, options);
}

absl::StatusOr<std::vector<PostgresRows>> PostgresTransaction::Read(PostgresStatement statement) {
  RETURN_IF_ERROR(status_);
  absl::StatusOr<std::vector<PostgresRows>> rows = connection_.Run({{std::move(statement)}});
  if (!rows.ok()) status_ = rows.status();
  return rows;
}

void PostgresTransaction::Put(absl::string_view key, absl::string_view value) {
  if (MayWrite(key)) buffer_.Put(key, value);
}

void PostgresTransaction::Delete(absl::string_view key) {
  if (MayWrite(key)) buffer_.Delete(key);
}

bool PostgresTransaction::MayWrite(absl::string_view key) {
  if (key.size() <= kPostgresKeyBytesMax) return true;
  if (status_.ok()) {
    status_ = absl::InternalError(absl::StrCat(
        "a key of ", key.size(), " bytes is longer than PostgreSQL's index allows: ", kPostgresKeyBytesMax));
  }
  return false;
}

absl::Status PostgresTransaction::status() const { return status_.ok() ? buffer_.status() : status_; }

}  // namespace entrepot::kv
