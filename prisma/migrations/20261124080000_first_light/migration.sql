-- CreateTable
CREATE TABLE "Generation" (
    "seq" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "id" TEXT NOT NULL,
    "task" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "prompt" TEXT NOT NULL,
    "searchText" TEXT NOT NULL,
    "params" JSONB NOT NULL,
    "starred" BOOLEAN NOT NULL DEFAULT false,
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
    "deletedAt" DATETIME
);

-- CreateTable
CREATE TABLE "Asset" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "generationId" TEXT NOT NULL,
    "index" INTEGER NOT NULL,
    "hash" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "width" INTEGER NOT NULL,
    "height" INTEGER NOT NULL,
    "bytes" INTEGER NOT NULL,
    "seed" BIGINT NOT NULL,
    "createdAt" DATETIME NOT NULL,
    CONSTRAINT "Asset_generationId_fkey" FOREIGN KEY ("generationId") REFERENCES "Generation" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Event" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "type" TEXT NOT NULL,
    "generationId" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "Setting" (
    "key" TEXT NOT NULL PRIMARY KEY,
    "value" JSONB NOT NULL,
    "updatedAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "Worker" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "startedAt" DATETIME NOT NULL,
    "heartbeatAt" DATETIME NOT NULL,
    "stoppedAt" DATETIME,
    "engine" JSONB
);

-- CreateIndex
CREATE UNIQUE INDEX "Generation_id_key" ON "Generation"("id");

-- CreateIndex
CREATE UNIQUE INDEX "Generation_claimToken_key" ON "Generation"("claimToken");

-- CreateIndex
CREATE UNIQUE INDEX "Generation_idempotencyKey_key" ON "Generation"("idempotencyKey");

-- CreateIndex
CREATE INDEX "Generation_status_queueOrder_seq_idx" ON "Generation"("status", "queueOrder", "seq");

-- CreateIndex
CREATE INDEX "Generation_model_seq_idx" ON "Generation"("model", "seq");

-- CreateIndex
CREATE INDEX "Generation_starred_seq_idx" ON "Generation"("starred", "seq");

-- CreateIndex
CREATE INDEX "Generation_deletedAt_idx" ON "Generation"("deletedAt");

-- CreateIndex
CREATE INDEX "Asset_hash_idx" ON "Asset"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "Asset_generationId_index_key" ON "Asset"("generationId", "index");

-- CreateIndex
CREATE INDEX "Event_generationId_id_idx" ON "Event"("generationId", "id");

-- CreateIndex
CREATE INDEX "Event_createdAt_idx" ON "Event"("createdAt");


