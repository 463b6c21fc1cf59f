-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_Generation" (
    "seq" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "id" TEXT NOT NULL,
    "task" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "prompt" TEXT NOT NULL,
    "searchText" TEXT NOT NULL,
    "params" JSONB NOT NULL,
    "starred" BOOLEAN NOT NULL DEFAULT false,
    "boardId" TEXT,
    "progress" REAL NOT NULL DEFAULT 0,
    "step" INTEGER,
    "etaSeconds" REAL,
    "queueOrder" REAL NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "maxAttempts" INTEGER NOT NULL,
    "crashes" INTEGER NOT NULL DEFAULT 0,
    "claimToken" TEXT,
    "workerId" TEXT,
    "heartbeatAt" DATETIME,
    "leaseExpiresAt" DATETIME,
    "cancelRequestedAt" DATETIME,
    "idempotencyKey" TEXT,
    "requestHash" TEXT,
    "receipt" JSONB,
    "error" JSONB,
    "createdAt" DATETIME NOT NULL,
    "startedAt" DATETIME,
    "finishedAt" DATETIME,
    "deletedAt" DATETIME,
    "verifiesId" TEXT,
    "comparison" JSONB,
    CONSTRAINT "Generation_boardId_fkey" FOREIGN KEY ("boardId") REFERENCES "Board" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    CONSTRAINT "Generation_verifiesId_fkey" FOREIGN KEY ("verifiesId") REFERENCES "Generation" ("id") ON DELETE SET NULL ON UPDATE CASCADE
);
INSERT INTO "new_Generation" ("attempt", "boardId", "cancelRequestedAt", "claimToken", "crashes", "createdAt", "deletedAt", "error", "etaSeconds", "finishedAt", "heartbeatAt", "id", "idempotencyKey", "leaseExpiresAt", "maxAttempts", "model", "params", "progress", "prompt", "queueOrder", "receipt", "requestHash", "searchText", "seq", "starred", "startedAt", "status", "step", "task", "workerId") SELECT "attempt", "boardId", "cancelRequestedAt", "claimToken", "crashes", "createdAt", "deletedAt", "error", "etaSeconds", "finishedAt", "heartbeatAt", "id", "idempotencyKey", "leaseExpiresAt", "maxAttempts", "model", "params", "progress", "prompt", "queueOrder", "receipt", "requestHash", "searchText", "seq", "starred", "startedAt", "status", "step", "task", "workerId" FROM "Generation";
DROP TABLE "Generation";
ALTER TABLE "new_Generation" RENAME TO "Generation";
CREATE UNIQUE INDEX "Generation_id_key" ON "Generation"("id");
CREATE UNIQUE INDEX "Generation_claimToken_key" ON "Generation"("claimToken");
CREATE UNIQUE INDEX "Generation_idempotencyKey_key" ON "Generation"("idempotencyKey");
CREATE UNIQUE INDEX "Generation_verifiesId_key" ON "Generation"("verifiesId");
CREATE INDEX "Generation_status_queueOrder_seq_idx" ON "Generation"("status", "queueOrder", "seq");
CREATE INDEX "Generation_status_seq_idx" ON "Generation"("status", "seq");
CREATE INDEX "Generation_model_seq_idx" ON "Generation"("model", "seq");
CREATE INDEX "Generation_starred_seq_idx" ON "Generation"("starred", "seq");
CREATE INDEX "Generation_boardId_seq_idx" ON "Generation"("boardId", "seq");
CREATE INDEX "Generation_deletedAt_seq_searchText_idx" ON "Generation"("deletedAt", "seq", "searchText");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;


