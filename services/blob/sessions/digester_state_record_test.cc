#include "services/blob/sessions/digester_state_record.h"

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

TEST(DigesterStateRecordTest, RestoresASavedState) {
  for (DigestAlgorithm algorithm : {DigestAlgorithm::kSha256, DigestAlgorithm::kSha512}) {
    Digester digester(algorithm);
    digester.Update(std::string(1'000, 'x'));
    ASSERT_OK_AND_ASSIGN(Digester restored, RestoreDigester(ToRecord(digester.Save())));
    digester.Update("end");
    restored.Update("end");
    EXPECT_EQ(restored.Current(), digester.Current());
  }
}

TEST(DigesterStateRecordTest, RefusesInvalidStates) {
  EXPECT_THAT(RestoreDigester(storage::v1::DigesterStateRecord()), StatusIs(absl::StatusCode::kDataLoss));
  storage::v1::DigesterStateRecord record = ToRecord(Digester(DigestAlgorithm::kSha256).Save());
  record.set_tail("a byte too many");
  EXPECT_THAT(RestoreDigester(record), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace entrepot::blob
