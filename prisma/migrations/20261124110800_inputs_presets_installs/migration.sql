-- DropIndex
DROP INDEX "Generation_deletedAt_seq_searchText_idx";

-- AlterTable
ALTER TABLE "Asset" ADD COLUMN "fps" REAL;
ALTER TABLE "Asset" ADD COLUMN "frames" INTEGER;
ALTER TABLE "Asset" ADD COLUMN "posterHash" TEXT;

-- CreateTable
CREATE TABLE "GenerationInput" (
    "generationId" TEXT NOT NULL,
    "field" TEXT NOT NULL,
    "pictureId" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "width" INTEGER NOT NULL,
    "height" INTEGER NOT NULL,
    "bytes" INTEGER NOT NULL,

    PRIMARY KEY ("generationId", "field"),
    CONSTRAINT "GenerationInput_generationId_fkey" FOREIGN KEY ("generationId") REFERENCES "Generation" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Upload" (
    "seq" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "width" INTEGER NOT NULL,
    "height" INTEGER NOT NULL,
    "bytes" INTEGER NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "lastUsedAt" DATETIME NOT NULL,
    "deletedAt" DATETIME
);

-- CreateTable
CREATE TABLE "Preset" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "name" TEXT NOT NULL,
    "values" JSONB NOT NULL,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "Install" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "repo" TEXT NOT NULL,
    "revision" TEXT NOT NULL,
    "file" TEXT,
    "status" TEXT NOT NULL,
    "commit" TEXT,
    "bytesDone" BIGINT NOT NULL DEFAULT 0,
    "bytesTotal" BIGINT,
    "bytesPerSecond" REAL,
    "currentFile" TEXT,
    "error" JSONB,
    "modelId" TEXT,
    "claimToken" TEXT,
    "leaseExpiresAt" DATETIME,
    "createdAt" DATETIME NOT NULL,
    "finishedAt" DATETIME
);

-- CreateTable
CREATE TABLE "FileHash" (
    "path" TEXT NOT NULL PRIMARY KEY,
    "size" BIGINT NOT NULL,
    "modifiedMs" REAL NOT NULL,
    "sha256" TEXT NOT NULL,
    "dataSha256" TEXT
);

-- CreateIndex
CREATE INDEX "GenerationInput_pictureId_idx" ON "GenerationInput"("pictureId");

-- CreateIndex
CREATE INDEX "GenerationInput_hash_idx" ON "GenerationInput"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "Upload_id_key" ON "Upload"("id");

-- CreateIndex
CREATE UNIQUE INDEX "Upload_hash_key" ON "Upload"("hash");

-- CreateIndex
CREATE INDEX "Upload_deletedAt_seq_idx" ON "Upload"("deletedAt", "seq");

-- CreateIndex
CREATE UNIQUE INDEX "Install_claimToken_key" ON "Install"("claimToken");

-- CreateIndex
CREATE INDEX "Install_status_createdAt_idx" ON "Install"("status", "createdAt");

-- CreateIndex
CREATE INDEX "Asset_posterHash_idx" ON "Asset"("posterHash");

-- CreateIndex
CREATE INDEX "Generation_task_seq_idx" ON "Generation"("task", "seq");

-- CreateIndex
CREATE INDEX "Generation_deletedAt_seq_createdAt_searchText_idx" ON "Generation"("deletedAt", "seq", "createdAt", "searchText");


