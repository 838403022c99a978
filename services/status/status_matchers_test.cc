#include "services/status/status_matchers.h"

#include <string>

#include "gtest/gtest.h"

namespace entrepot {
namespace {

using ::testing::AnyOf;
using ::testing::Not;

TEST(StatusMatchersTest, IsOkAcceptsStatusAndStatusOr) {
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(absl::StatusOr<int>(1), IsOk());
  EXPECT_THAT(absl::AbortedError(""), Not(IsOk()));
  EXPECT_THAT(absl::StatusOr<int>(absl::AbortedError("")), Not(IsOk()));
}

TEST(StatusMatchersTest, StatusIsAcceptsACodeOrAMatcher) {
  EXPECT_THAT(absl::AbortedError(""), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(absl::AbortedError(""), Not(StatusIs(absl::StatusCode::kOk)));
  EXPECT_THAT(absl::AbortedError(""), StatusIs(AnyOf(absl::StatusCode::kOk, absl::StatusCode::kAborted)));
}

TEST(StatusMatchersTest, IsOciErrorNeedsTheCarriedCode) {
  EXPECT_THAT(OciError(OciErrorCode::kTagInvalid, ""), IsOciError(OciErrorCode::kTagInvalid));
  EXPECT_THAT(OciError(OciErrorCode::kTagInvalid, ""), Not(IsOciError(OciErrorCode::kNameInvalid)));
  EXPECT_THAT(absl::InvalidArgumentError(""), Not(IsOciError(OciErrorCode::kTagInvalid)));
}

TEST(StatusMatchersTest, IsOkAndHoldsComparesTheValue) {
  EXPECT_THAT(absl::StatusOr<std::string>("a"), IsOkAndHolds("a"));
  EXPECT_THAT(absl::StatusOr<std::string>("a"), Not(IsOkAndHolds("b")));
  EXPECT_THAT(absl::StatusOr<std::string>(absl::AbortedError("a")), Not(IsOkAndHolds("a")));
}

TEST(StatusMatchersTest, AssertOkAndAssignAssigns) {
  ASSERT_OK_AND_ASSIGN(const std::string text, absl::StatusOr<std::string>("a"));
  EXPECT_EQ(text, "a");
}

}  // namespace
}  // namespace entrepot
