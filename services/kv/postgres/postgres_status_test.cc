#include "services/kv/postgres/postgres_status.h"

#include "gtest/gtest.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

absl::StatusCode CodeOf(absl::string_view sqlstate) { return FromSqlState(sqlstate, "text").code(); }

TEST(PostgresStatusTest, ConflictsMayBeRetried) {
  for (const char* sqlstate : {"40001", "40P01", "55P03"}) {
    EXPECT_EQ(CodeOf(sqlstate), absl::StatusCode::kAborted) << sqlstate;
    EXPECT_FALSE(IsConnectionLost(FromSqlState(sqlstate, ""))) << sqlstate;
  }
}

TEST(PostgresStatusTest, TheEndOfASessionIsALostConnection) {
  for (const char* sqlstate : {"", "08006", "57P01", "57P02", "57P03", "25P03"}) {
    EXPECT_TRUE(EndsSession(sqlstate)) << sqlstate;
    EXPECT_EQ(CodeOf(sqlstate), absl::StatusCode::kAborted) << sqlstate;
    EXPECT_TRUE(IsConnectionLost(FromSqlState(sqlstate, ""))) << sqlstate;
  }
  EXPECT_TRUE(IsConnectionLost(FromSqlState("25006", "cannot execute INSERT in a read-only transaction")));
  EXPECT_FALSE(EndsSession("25006"));
}

TEST(PostgresStatusTest, TheServersTroubleIsUnavailableAndNamesNoServerToClients) {
  for (const char* sqlstate : {"53100", "53200", "53300", "57014", "58030", "25P02"}) {
    const absl::Status status = FromSqlState(sqlstate, "secret");
    EXPECT_EQ(GetOciErrorCode(status), OciErrorCode::kUnavailable) << sqlstate;
    EXPECT_EQ(GetOciErrorDetail(status).find("secret"), std::string::npos) << sqlstate;
  }
}

TEST(PostgresStatusTest, OthersKeepTheirMeaning) {
  EXPECT_EQ(CodeOf("XX001"), absl::StatusCode::kDataLoss);
  EXPECT_EQ(CodeOf("42P01"), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CodeOf("42501"), absl::StatusCode::kFailedPrecondition);
  for (const char* sqlstate : {"22P02", "21000", "42601", "54000", "XX000"}) {
    EXPECT_EQ(CodeOf(sqlstate), absl::StatusCode::kInternal) << sqlstate;
  }
}

}  // namespace
}  // namespace entrepot::kv
