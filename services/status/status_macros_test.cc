#include "services/status/status_macros.h"

#include <memory>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

absl::StatusOr<std::unique_ptr<int>> MakeNumber(bool fails) {
  if (fails) return absl::AbortedError("no number");
  return std::make_unique<int>(7);
}

absl::StatusOr<int> Twice(bool first_fails, bool second_fails) {
  ASSIGN_OR_RETURN(const std::unique_ptr<int> first, MakeNumber(first_fails));
  std::unique_ptr<int> second;
  ASSIGN_OR_RETURN(second, MakeNumber(second_fails));
  return *first + *second;
}

absl::Status PassOn(const absl::Status& status, bool* reached) {
  RETURN_IF_ERROR(status);
  *reached = true;
  return absl::OkStatus();
}

TEST(StatusMacrosTest, AssignsMoveOnlyValues) { EXPECT_THAT(Twice(false, false), IsOkAndHolds(14)); }

TEST(StatusMacrosTest, ReturnsTheFirstError) {
  EXPECT_THAT(Twice(true, false), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(Twice(false, true), StatusIs(absl::StatusCode::kAborted));
}

TEST(StatusMacrosTest, ReturnIfErrorContinuesAfterOkOnly) {
  bool reached = false;
  EXPECT_THAT(PassOn(absl::DataLossError("gone"), &reached), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(reached);
  EXPECT_OK(PassOn(absl::OkStatus(), &reached));
  EXPECT_TRUE(reached);
}

}  // namespace
}  // namespace entrepot
