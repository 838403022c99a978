#include "services/blob/sessions/digester_state_record.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace entrepot::blob {
namespace {

absl::Status Corrupt(const absl::Status& why) {
  return absl::DataLossError(absl::StrCat("a session's hash state is corrupt: ", why.message()));
}

}  // namespace

storage::v1::DigesterStateRecord ToRecord(const DigesterState& state) {
  storage::v1::DigesterStateRecord record;
  record.set_algorithm(std::string(DigestAlgorithmName(state.algorithm)));
  record.set_length_bytes(state.length_bytes);
  record.mutable_words()->Add(state.words.begin(), state.words.end());
  record.set_tail(state.tail);
  return record;
}

absl::StatusOr<Digester> RestoreDigester(const storage::v1::DigesterStateRecord& record) {
  absl::StatusOr<DigestAlgorithm> algorithm = ParseDigestAlgorithm(record.algorithm());
  if (!algorithm.ok()) return Corrupt(algorithm.status());
  DigesterState state;
  state.algorithm = *algorithm;
  state.length_bytes = record.length_bytes();
  state.words.assign(record.words().begin(), record.words().end());
  state.tail = record.tail();
  absl::StatusOr<Digester> digester = Digester::Restore(state);
  if (!digester.ok()) return Corrupt(digester.status());
  return digester;
}

}  // namespace entrepot::blob
